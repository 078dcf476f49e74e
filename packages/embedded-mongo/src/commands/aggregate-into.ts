import { Long } from 'bson';
import { compareDocs } from '../bson/compare.js';
import { encodeDoc } from '../bson/encode.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { type Collection, collectionDropped } from '../storage/collection.js';
import type { Steps } from '../storage/group-commit.js';
import { assertCollectionName } from '../storage/namespace.js';
import { RawArray } from '../wire/reply.js';
import { AGGREGATE_FIELDS, pipelineOf, readBatchSize, readTarget } from './aggregate.js';
import { booleanArgument } from './arguments.js';
import type { CommandContext, WriteCommand } from './command.js';
import { merger } from './merge.js';
import { prepareForStorage, storeNew } from './modify.js';
import { runPipeline } from './run-pipeline.js';

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
      yield* writeOut(
        docs,
        outTarget(last.get('$out'), request.database),
        booleanArgument(request.body, 'aggregate', 'bypassDocumentValidation'),
        context,
      );
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

/**
 * Replaces the target's documents; its indexes and options stay. When one of the documents cannot be stored nothing changes.
 * Throws CommandFailed (125) when the target's options or indexes are changed meanwhile.
 */
function* writeOut(
  docs: readonly Doc[],
  { database, name }: Target,
  bypass: boolean,
  context: CommandContext,
): Steps<void> {
  const { catalog } = context;
  const replaced = catalog.collection(database, name);
  const before = replaced && describe(replaced);
  const temporary = catalog.createTemporary(database, new Map(replaced?.options ?? []));
  try {
    for (const index of replaced?.indexes.slice(1) ?? [])
      yield* catalog.createIndex(temporary, index.definition);
    for (const doc of docs) {
      storeNew(temporary, prepareForStorage({ doc, raw: encodeDoc(doc) }), bypass);
      yield;
    }
    const target = catalog.collection(database, name);
    if (target && compareDocs(describe(target), before ?? new Map()) !== 0) throw changedMeanwhile(target);
    if (temporary.dropped) throw collectionDropped(temporary);
    if (target) catalog.drop(target);
  } catch (error) {
    if (error instanceof MongoError) catalog.drop(temporary);
    throw error;
  }
  catalog.rename(temporary, name);
}

/** What of a collection outlives its documents. */
function describe({ options, indexes }: Collection): Doc {
  return new Map<string, Value>([
    ['options', new Map(options)],
    ['indexes', indexes.map(({ definition }) => definition.spec)],
  ]);
}

function changedMeanwhile({ namespace }: Collection): MongoError {
  return new MongoError(
    ErrorCode.CommandFailed,
    `collection options or indexes of target collection ${namespace} changed during processing`,
  );
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
