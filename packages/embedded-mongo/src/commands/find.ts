import { Long } from 'bson';
import { evaluateLet } from '../aggregate/let-variables.js';
import { isLong, type Doc, type Value } from '../bson/values.js';
import type { Cursor } from '../cursors.js';
import { parseCollation } from '../query/collation.js';
import { ErrorCode, MongoError } from '../errors.js';
import { RawArray, type ReplyFields } from '../wire/reply.js';
import { booleanArgument, collectionName, countArgument, docArgument, stringArgument } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { assertHint } from './write-entries.js';

export const DEFAULT_FIRST_BATCH = 101;

export const find: Command = {
  name: 'find',
  kind: 'read',
  fields: [
    'filter',
    'sort',
    'projection',
    'hint',
    'skip',
    'limit',
    'batchSize',
    'singleBatch',
    'min',
    'max',
    'returnKey',
    'showRecordId',
    'tailable',
    'awaitData',
    'oplogReplay',
    'noCursorTimeout',
    'allowPartialResults',
    'allowDiskUse',
    'collation',
    'let',
  ],
  run(request, context) {
    const { body, database } = request;
    const name = collectionName(request);
    const finder = finderOf(request, context);
    const collection = context.catalog.collection(database, name);
    const batchSize = countArgument(body, 'find', 'batchSize');
    const limit = countArgument(body, 'find', 'limit') ?? 0;
    const singleBatch = booleanArgument(body, 'find', 'singleBatch');
    const cursor = context.cursors.create({
      namespace: `${database}.${name}`,
      documents: collection ? finder.encoded(collection) : [].values(),
      collection,
      deadline: request.deadline,
      limit,
      lasting: booleanArgument(body, 'find', 'noCursorTimeout'),
    });
    return firstBatch(context, cursor, batchSize ?? DEFAULT_FIRST_BATCH, singleBatch);
  },
};

/** Reads find's arguments; explain uses it, too. */
export function finderOf(
  { body, deadline }: { body: Doc; deadline: CommandRequest['deadline'] },
  context: CommandContext,
): Finder {
  refuseUnsupported(body);
  return new Finder(context, {
    filter: docArgument(body, 'find', 'filter') ?? new Map<string, Value>(),
    sort: docArgument(body, 'find', 'sort'),
    projection: docArgument(body, 'find', 'projection'),
    skip: countArgument(body, 'find', 'skip'),
    limit: countArgument(body, 'find', 'limit'),
    hint: hintArgument(body),
    variables: letVariables(body, 'find', new Date()),
    deadline,
    text: parseCollation(body.get('collation')),
  });
}

/** The values of the command's `let`. */
export function letVariables(body: Doc, command: string, now: Date): Doc | undefined {
  const spec = docArgument(body, command, 'let');
  return spec && evaluateLet(spec, now);
}

/** An empty hint document is no hint. Throws FailedToParse (9) for what is neither a name nor a key. */
export function hintArgument(body: Doc): Value | undefined {
  const hint = body.get('hint');
  assertHint(hint);
  return hint instanceof Map && hint.size === 0 ? undefined : (hint ?? undefined);
}

/** Options of find that are not supported. */
export function refuseUnsupported(body: Doc): void {
  for (const option of ['min', 'max']) {
    const value = body.get(option);
    if (value instanceof Map && value.size > 0) throw notSupported(`find option '${option}'`);
  }
  for (const option of ['returnKey', 'showRecordId', 'tailable', 'awaitData']) {
    if (booleanArgument(body, 'find', option)) throw notSupported(`find option '${option}'`);
  }
}

export function notSupported(what: string): MongoError {
  return new MongoError(ErrorCode.NotImplemented, `${what} is not supported`);
}

/** The reply that opens a cursor; a cursor that is not at its end is kept. */
export function firstBatch(
  { cursors }: CommandContext,
  cursor: Cursor,
  batchSize: number,
  singleBatch = false,
): ReplyFields {
  const batch = cursor.nextBatch(batchSize);
  const ended = cursor.exhausted || singleBatch;
  if (ended) cursor.close();
  else cursors.keep(cursor);
  return {
    cursor: {
      firstBatch: new RawArray(batch),
      id: ended ? Long.ZERO : cursor.id,
      ns: cursor.source.namespace,
    },
    ok: 1,
  };
}

export const getMore: Command = {
  name: 'getMore',
  kind: 'read',
  fields: ['collection', 'batchSize', 'term', 'lastKnownCommittedOpTime'],
  run({ body, database }, { cursors }) {
    const id = body.get('getMore');
    if (!isLong(id))
      throw new MongoError(
        ErrorCode.TypeMismatch,
        "BSON field 'getMore.getMore' is the wrong type, expected type 'long'",
      );
    const namespace = `${database}.${stringArgument(body, 'getMore', 'collection')}`;
    const cursor = cursors.get(id);
    if (cursor.source.namespace !== namespace) {
      throw new MongoError(
        ErrorCode.Unauthorized,
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.source.namespace}`,
      );
    }
    const batchSize = countArgument(body, 'getMore', 'batchSize');
    let batch: Uint8Array[];
    try {
      batch = cursor.nextBatch(batchSize || undefined);
    } catch (error) {
      cursors.kill(id);
      throw error;
    }
    if (cursor.exhausted) cursors.kill(id);
    return {
      cursor: { nextBatch: new RawArray(batch), id: cursor.exhausted ? Long.ZERO : id, ns: namespace },
      ok: 1,
    };
  },
};

export const killCursors: Command = {
  name: 'killCursors',
  kind: 'read',
  fields: ['cursors'],
  run({ body }, { cursors }) {
    const ids = body.get('cursors');
    if (!Array.isArray(ids) || !ids.every(isLong)) {
      throw new MongoError(
        ErrorCode.TypeMismatch,
        "BSON field 'killCursors.cursors' must be an array of long",
      );
    }
    const killed: Long[] = [];
    const notFound: Long[] = [];
    for (const id of ids) (cursors.kill(id) ? killed : notFound).push(id);
    return { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [], ok: 1 };
  },
};
