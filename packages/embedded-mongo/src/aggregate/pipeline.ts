import type { Doc, Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { exactInteger } from '../query/numbers.js';
import { documentStages } from './document-stages.js';
import { scopeOf } from './scope.js';
import type { PipelineEnvironment, RunStage, StageContext, StageParser } from './stage.js';
import { countDocs, limit, match, sample, skip, sort, sortByCount } from './stages/flow.js';
import { group } from './stages/group.js';
import { facet, lookup, unionWith } from './stages/join.js';
import { unwind } from './stages/unwind.js';

export type { PipelineEnvironment } from './stage.js';

export interface Pipeline {
  /** The first stage's filter, so that the caller can read through an index; the stage itself runs all the same. */
  readonly leadingMatch?: Doc;
  /** Reads the source as far as documents are asked for. */
  run(source: Iterable<Doc>): Iterable<Doc>;
}

const MAX_STAGES = 1000;
const MAX_NESTING = 20;

const stageParsers: ReadonlyMap<string, StageParser> = new Map<string, StageParser>([
  ['$match', match],
  ['$sort', sort],
  ['$limit', limit],
  ['$skip', skip],
  ['$count', countDocs],
  ['$sortByCount', sortByCount],
  ['$sample', sample],
  ['$group', group],
  ['$unwind', unwind],
  ['$lookup', lookup],
  ['$unionWith', unionWith],
  ['$facet', facet],
]);

/**
 * Compiles an aggregation pipeline. Throws 40324 for an unknown or unsupported stage, 40323 for a stage that is not one
 * field, and the stages' own codes.
 */
export function compilePipeline(stages: readonly Value[], environment: PipelineEnvironment): Pipeline {
  const run = compileStages(stages, environment, []);
  const leadingMatch = leadingFilter(stages);
  return leadingMatch ? { leadingMatch, run } : { run };
}

function compileStages(
  stages: readonly Value[],
  environment: PipelineEnvironment,
  within: readonly string[],
): RunStage {
  if (stages.length > MAX_STAGES) {
    throw new MongoError(7749501, `Pipeline length must be no longer than ${MAX_STAGES} stages`);
  }
  if (within.length > MAX_NESTING)
    throw new MongoError(ErrorCode.Overflow, 'the pipelines are nested too deeply');
  const steps = stages.map((stage, i) => {
    const [name, spec] = stageEntry(stage);
    if (name === '$out' || name === '$merge') throw misplaced(name, within, i === stages.length - 1);
    return parseStage(name, spec, contextOf(environment, [...within, name], wantedOf(stages.slice(i + 1))));
  });
  return (source) => steps.reduce((docs, step) => step(docs), source);
}

function contextOf(
  environment: PipelineEnvironment,
  within: readonly string[],
  wanted: number,
): StageContext {
  const variables = environment.variables ?? new Map<string, Value>();
  return {
    environment,
    within,
    wanted,
    variableNames: [...variables.keys()],
    scope: (doc) => scopeOf(doc, environment.now, variables),
    compileStages: (stages, extra) => {
      const inner = extra ? { ...environment, variables: new Map([...variables, ...extra]) } : environment;
      return compileStages(stages, inner, within);
    },
  };
}

/** What a `$limit`, with or without `$skip` before it, leaves of the documents before these stages. */
function wantedOf(next: readonly Value[]): number {
  let skipped = 0;
  for (const stage of next) {
    const [name, spec] = stageEntry(stage);
    const count = Number(exactInteger(spec) ?? Infinity);
    if (count < 0) break;
    if (name === '$limit') return skipped + count;
    if (name !== '$skip') break;
    skipped += count;
  }
  return Infinity;
}

function stageEntry(stage: Value): [string, Value] {
  if (!(stage instanceof Map)) {
    throw new MongoError(ErrorCode.TypeMismatch, "Each element of the 'pipeline' array must be an object");
  }
  const [entry] = stage;
  if (!entry || stage.size !== 1) {
    throw new MongoError(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  return entry;
}

function parseStage(name: string, spec: Value, context: StageContext): RunStage {
  if (name === '$facet' && context.within.slice(0, -1).includes('$facet')) {
    throw new MongoError(40600, '$facet is not allowed to be used within a $facet stage');
  }
  const parse = stageParsers.get(name);
  if (parse) return parse(spec, context);
  const parseDocumentStage = documentStages.get(name);
  if (!parseDocumentStage) throw new MongoError(40324, `Unrecognized pipeline stage name: '${name}'`);
  const stage = parseDocumentStage(name, spec, context.variableNames);
  return function* run(source) {
    for (const doc of source) yield stage(doc, context.scope(doc));
  };
}

/** The stages that write are executed elsewhere, where they are the last of the whole pipeline. */
function misplaced(name: string, outer: readonly string[], isLast: boolean): MongoError {
  switch (outer.at(-1)) {
    case '$facet':
      return new MongoError(40600, `${name} is not allowed to be used within a $facet stage`);
    case '$lookup':
      return new MongoError(51047, `${name} is not allowed within a $lookup's sub-pipeline`);
    case '$unionWith':
      return new MongoError(31441, `${name} is not allowed within a $unionWith's sub-pipeline`);
    default:
      if (isLast) return new MongoError(40324, `${name} is not allowed here`);
      return new MongoError(40601, `${name} can only be the final stage in the pipeline`);
  }
}

/** Not with $expr, whose variables the reader of the collection does not know. */
function leadingFilter(stages: readonly Value[]): Doc | undefined {
  const [first] = stages;
  const filter = first instanceof Map ? first.get('$match') : undefined;
  return filter instanceof Map && !mentionsExpr(filter) ? filter : undefined;
}

function mentionsExpr(value: Value): boolean {
  if (Array.isArray(value)) return value.some(mentionsExpr);
  if (!(value instanceof Map)) return false;
  return value.has('$expr') || [...value.values()].some(mentionsExpr);
}
