import { decodeDoc } from './bson/decode.js';
import type { CommandContext } from './commands/command.js';
import type { BtreeIndex } from './index/btree-index.js';
import { indexBounds } from './index/key-ranges.js';
import { scanPlan } from './index/scan.js';
import type { Collection } from './storage/collection.js';

const DOCUMENTS_PER_STEP = 500;

/**
 * Removes documents whose time to live is over, up to 500 of each TTL index. Runs inside a transaction; true when there may
 * be more. Only dates count: a field that is none keeps its document for ever, as in MongoDB.
 */
export function removeExpired(context: CommandContext, now: Date): boolean {
  let more = false;
  for (const collection of context.catalog.allCollections()) {
    for (const index of collection.indexes) {
      const removed = removeOfIndex(context, collection, index, now);
      if (removed === DOCUMENTS_PER_STEP) more = true;
    }
  }
  return more;
}

function removeOfIndex(
  context: CommandContext,
  collection: Collection,
  index: BtreeIndex,
  now: Date,
): number {
  const { expireAfterSeconds, fields } = index.definition;
  const [field] = fields;
  if (expireAfterSeconds === undefined || !field || index.building) return 0;
  const operand = new Date(now.getTime() - expireAfterSeconds * 1000);
  const { ranges } = indexBounds(index, [{ path: field.path, op: '$lte', operand }]);
  const plan = { kind: 'index', index, ranges, reverse: false, exact: true, sorted: false } as const;
  let removed = 0;
  for (const { recordId, raw } of scanPlan(context.environment, collection, plan, {
    keysExamined: 0,
    docsExamined: 0,
  })) {
    collection.remove(recordId, decodeDoc(raw), raw.length);
    if (++removed === DOCUMENTS_PER_STEP) break;
  }
  return removed;
}
