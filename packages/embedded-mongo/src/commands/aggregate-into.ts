import { Long } from 'bson';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { Collection } from '../storage/collection.js';
import type { Steps } from '../storage/group-commit.js';
import { assertCollectionName } from '../storage/namespace.js';
import { RawArray } from '../wire/reply.js';
import { encodeDoc } from '../bson/encode.js';
import { AGGREGATE_FIELDS, pipelineOf, readBatchSize, readTarget, runPipeline } from './aggregate.js';
import type { CommandContext, WriteCommand } from './command.js';
import { merger } from './merge.js';
import { prepareForStorage } from './modify.js';

/** An aggregation whose last stage, `$out` or `$merge`, writes what the others give. */
export const aggregateInto: WriteCommand = {
  name: 'aggregate',
  kind: 'write',
  fields: AGGREGATE_FIELDS,
  *run(request, context) {
    const { namespace, name } = readTarget(request);
    readBatchSize(request);
    const stages = pipelineOf(request);
    const last = stages.at(-1);
    // The source may be the target: all is read before anything is written.
    const docs = [...runPipeline(stages.slice(0, -1), name, request, context)];
    if (isDoc(last) && last.has('$out'))
      yield* writeOut(docs, outTarget(last.get('$out'), request.database), context);
    else if (isDoc(last)) yield* writeMerge(docs, last.get('$merge'), request, context);
    return { cursor: { firstBatch: new RawArray([]), id: Long.ZERO, ns: namespace }, ok: 1 };
  },
};

/** Whether the pipeline's last stage writes. */
export function writes(body: Doc): boolean {
  const stages = body.get('pipeline');
  const last = Array.isArray(stages) ? stages.at(-1) : undefined;
  return isDoc(last) && (last.has('$out') || last.has('$merge'));
}

interface Target {
  readonly database: string;
  readonly name: string;
}

function outTarget(spec: Value | undefined, database: string): Target {
  if (typeof spec === 'string') return checked({ database, name: spec });
  if (isDoc(spec) && spec.size === 2) {
    const [db, coll] = [spec.get('db'), spec.get('coll')];
    if (typeof db === 'string' && typeof coll === 'string') return checked({ database: db, name: coll });
  }
  throw new MongoError(16990, '$out only supports a string or object argument with db and coll');
}

function checked(target: Target): Target {
  assertCollectionName(target.database, target.name);
  return target;
}

/** Replaces the target's documents; its indexes stay. When one of the documents cannot be stored nothing changes. */
function* writeOut(docs: readonly Doc[], { database, name }: Target, context: CommandContext): Steps<void> {
  const { catalog } = context;
  const temporary = catalog.createTemporary(database);
  try {
    const existing = catalog.collection(database, name);
    for (const index of existing?.indexes.slice(1) ?? [])
      yield* catalog.createIndex(temporary, index.definition);
    for (const doc of docs) {
      insertInto(temporary, doc);
      yield;
    }
  } catch (error) {
    if (error instanceof MongoError) catalog.drop(temporary);
    throw error;
  }
  const replaced = catalog.collection(database, name);
  if (replaced) catalog.drop(replaced);
  catalog.rename(temporary, name);
}

function insertInto(collection: Collection, doc: Doc): void {
  const prepared = prepareForStorage({ doc, raw: encodeDoc(doc) });
  collection.insert(prepared.doc, prepared.raw);
}

function* writeMerge(
  docs: readonly Doc[],
  spec: Value | undefined,
  request: Parameters<WriteCommand['run']>[0],
  context: CommandContext,
): Steps<void> {
  const into = typeof spec === 'string' ? spec : isDoc(spec) ? spec.get('into') : undefined;
  const target =
    typeof into === 'string'
      ? { database: request.database, name: into }
      : mergeTarget(into, request.database);
  checked(target);
  const merge = merger(isDoc(spec) ? spec : new Map<string, Value>(), target, request, context);
  for (const doc of docs) {
    merge(doc);
    yield;
  }
}

function mergeTarget(into: Value | undefined, database: string): Target {
  const name = isDoc(into) ? into.get('coll') : undefined;
  const other = isDoc(into) ? into.get('db') : undefined;
  if (typeof name !== 'string')
    throw new MongoError(ErrorCode.FailedToParse, "$merge 'into' needs the name of a collection");
  return { database: typeof other === 'string' ? other : database, name };
}
