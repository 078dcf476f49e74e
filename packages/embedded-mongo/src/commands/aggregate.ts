import { encodeDoc } from '../bson/encode.js';
import type { Doc, Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { ReplyFields } from '../wire/reply.js';
import {
  arrayArgument,
  assertKnownFields,
  booleanArgument,
  collectionName,
  countArgument,
  docArgument,
  missing,
} from './arguments.js';
import type { CommandContext, CommandRequest, ReadCommand } from './command.js';
import { DEFAULT_FIRST_BATCH, firstBatch, notSupported } from './find.js';
import { runPipeline } from './run-pipeline.js';

const CURSOR_FIELDS = new Set(['batchSize']);
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
    const { name } = readTarget(request);
    const batchSize = readBatchSize(request);
    const docs = runPipeline(pipelineOf(request), name, request, context);
    return openCursor(docs, request, context, { batchSize });
  },
};

interface CursorOptions {
  readonly batchSize: number;
  readonly singleBatch?: boolean;
  /** It does not time out. */
  readonly lasting?: boolean;
}

/** The reply with the first batch of a pipeline's documents; the command's first field says what it reads. */
export function openCursor(
  docs: Iterable<Doc>,
  request: CommandRequest,
  context: CommandContext,
  { batchSize, singleBatch = false, lasting = false }: CursorOptions,
): ReplyFields {
  const { namespace, name } = readTarget(request);
  const cursor = context.cursors.create({
    namespace,
    documents: encoded(docs),
    collection: name === undefined ? undefined : context.catalog.entry(request.database, name),
    deadline: request.deadline,
    lasting,
  });
  return firstBatch(context, cursor, batchSize, singleBatch);
}

/** The collection, or none for `aggregate: 1`, which some stages that need no collection run on. */
export function readTarget(request: CommandRequest): { namespace: string; name: string | undefined } {
  const { body, database } = request;
  if (booleanArgument(body, 'aggregate', 'explain')) throw notSupported("aggregate's 'explain' option");
  if (typeof body.get(request.name) !== 'string')
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
  assertKnownFields(options, 'aggregate.cursor', CURSOR_FIELDS);
  return countArgument(options, 'aggregate.cursor', 'batchSize') ?? DEFAULT_FIRST_BATCH;
}

export function pipelineOf({ body }: CommandRequest): Value[] {
  const stages = arrayArgument(body, 'aggregate', 'pipeline');
  if (!stages) throw missing('aggregate', 'pipeline');
  return stages;
}

function* encoded(docs: Iterable<Doc>): Generator<Uint8Array> {
  for (const doc of docs) yield encodeDoc(doc);
}
