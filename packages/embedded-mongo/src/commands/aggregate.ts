import { compilePipeline } from '../aggregate/pipeline.js';
import { encodeDoc } from '../bson/encode.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertSimpleCollation } from '../index/definition.js';
import {
  arrayArgument,
  booleanArgument,
  collectionName,
  countArgument,
  docArgument,
  missing,
} from './arguments.js';
import type { CommandContext, CommandRequest, ReadCommand } from './command.js';
import { countPipeline } from './count-pipeline.js';
import { Finder } from './find-documents.js';
import { firstBatch, hintArgument, letVariables, notSupported } from './find.js';

const DEFAULT_FIRST_BATCH = 101;
export const AGGREGATE_FIELDS = [
  'pipeline',
  'cursor',
  'explain',
  'allowDiskUse',
  'bypassDocumentValidation',
  'hint',
  'collation',
  'let',
];

export const aggregate: ReadCommand = {
  name: 'aggregate',
  kind: 'read',
  fields: AGGREGATE_FIELDS,
  run(request, context) {
    const { namespace, name } = readTarget(request);
    const batchSize = readBatchSize(request);
    const docs = runPipeline(pipelineOf(request), name, request, context);
    const cursor = context.cursors.create({
      namespace,
      documents: encoded(docs),
      collection: name === undefined ? undefined : context.catalog.collection(request.database, name),
      deadline: request.deadline,
    });
    return firstBatch(context, cursor, batchSize);
  },
};

/** The collection, or none for `aggregate: 1`, which some stages that need no collection run on. */
export function readTarget(request: CommandRequest): { namespace: string; name: string | undefined } {
  const { body, database } = request;
  assertSimpleCollation(body.get('collation'));
  if (booleanArgument(body, 'aggregate', 'explain')) throw notSupported("aggregate's 'explain' option");
  if (typeof body.get('aggregate') !== 'string')
    return { namespace: `${database}.$cmd.aggregate`, name: undefined };
  const name = collectionName(request);
  return { namespace: `${database}.${name}`, name };
}

export function readBatchSize({ body }: CommandRequest): number {
  const options = docArgument(body, 'aggregate', 'cursor');
  if (!options) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  }
  return countArgument(options, 'aggregate.cursor', 'batchSize') ?? DEFAULT_FIRST_BATCH;
}

export function pipelineOf({ body }: CommandRequest): Value[] {
  const stages = arrayArgument(body, 'aggregate', 'pipeline');
  if (!stages) throw missing('aggregate', 'pipeline');
  return stages;
}

/** The documents that a pipeline ends with, read as they are asked for. */
export function runPipeline(
  stages: readonly Value[],
  name: string | undefined,
  request: CommandRequest,
  context: CommandContext,
): Iterable<Doc> {
  const { body, database, deadline } = request;
  assertNoChangeStream(stages);
  const now = new Date();
  const variables = letVariables(body, 'aggregate', now);
  const finderOf = (filter: Doc, hint?: Value) => new Finder(context, { filter, hint, variables, deadline });
  const find = (from: string, filter: Doc): Iterable<Doc> => {
    const finder = finderOf(filter);
    const collection = context.catalog.collection(database, from);
    return collection ? finder.documents(collection) : [];
  };
  const environment = { find, now, ...(variables ? { variables } : {}) };
  if (name === undefined) {
    const { source, rest } = withoutCollection(stages, body);
    return compilePipeline(rest, environment).run(source);
  }
  const pipeline = compilePipeline(stages, environment);
  const collection = context.catalog.collection(database, name);
  const counting = countPipeline(stages);
  if (counting && collection) {
    return counting.reply(
      new Finder(context, { ...counting.spec, hint: hintArgument(body), variables, deadline }).count(
        collection,
      ),
    );
  }
  const finder = finderOf(pipeline.leadingMatch ?? new Map<string, Value>(), hintArgument(body));
  return pipeline.run(collection ? finder.documents(collection) : []);
}

/** As a standalone MongoDB answers. */
function assertNoChangeStream([first]: readonly Value[]): void {
  if (isDoc(first) && first.has('$changeStream')) {
    throw new MongoError(40573, 'The $changeStream stage is only supported on replica sets');
  }
}

/** Of the stages that begin a pipeline without a collection there is one: this session. */
function withoutCollection(stages: readonly Value[], body: Doc): { source: Doc[]; rest: readonly Value[] } {
  const [first, ...rest] = stages;
  if (!isDoc(first) || !first.has('$listLocalSessions')) {
    throw new MongoError(
      ErrorCode.InvalidNamespace,
      "{aggregate: 1} is not valid for this pipeline: only one that begins with '$listLocalSessions' is supported",
    );
  }
  const session = body.get('lsid');
  const source = isDoc(session)
    ? [
        new Map<string, Value>([
          ['_id', session],
          ['lastUse', new Date()],
        ]),
      ]
    : [];
  return { source, rest };
}

function* encoded(docs: Iterable<Doc>): Generator<Uint8Array> {
  for (const doc of docs) yield encodeDoc(doc);
}
