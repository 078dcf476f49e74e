import { documentStages } from '../aggregate/document-stages.js';
import { scopeOf } from '../aggregate/scope.js';
import type { Doc, Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';

/** MongoDB's stages that an update may not have. */
const STAGES_ELSEWHERE = new Set([
  '$bucket',
  '$bucketAuto',
  '$changeStream',
  '$changeStreamSplitLargeEvent',
  '$collStats',
  '$count',
  '$currentOp',
  '$densify',
  '$documents',
  '$facet',
  '$fill',
  '$geoNear',
  '$graphLookup',
  '$group',
  '$indexStats',
  '$limit',
  '$listLocalSessions',
  '$listSampledQueries',
  '$listSearchIndexes',
  '$listSessions',
  '$lookup',
  '$match',
  '$merge',
  '$out',
  '$planCacheStats',
  '$redact',
  '$sample',
  '$search',
  '$searchMeta',
  '$setWindowFields',
  '$shardedDataDistribution',
  '$skip',
  '$sort',
  '$sortByCount',
  '$unionWith',
  '$unwind',
  '$vectorSearch',
]);

/** An update by a pipeline of stages that look at one document. Throws InvalidOptions (72) for other stages, 40324 for unknown ones. */
export function compileUpdatePipeline(
  stages: readonly Value[],
  variables: Doc,
): (doc: Doc, now: Date) => Doc {
  const names = [...variables.keys()];
  const steps = stages.map((stage) => {
    const [entry] = stage instanceof Map ? stage : [];
    if (!entry || !(stage instanceof Map) || stage.size !== 1) {
      throw new MongoError(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    const [name, spec] = entry;
    const parse = documentStages.get(name);
    if (!parse && !STAGES_ELSEWHERE.has(name)) {
      throw new MongoError(40324, `Unrecognized pipeline stage name: '${name}'`);
    }
    if (!parse) {
      throw new MongoError(ErrorCode.InvalidOptions, `${name} is not allowed to be used within an update`);
    }
    return parse(name, spec, names);
  });
  return (doc, now) => steps.reduce((current, step) => step(current, scopeOf(current, now, variables)), doc);
}
