import type { Collection } from '../storage/collection.js';
import type { Environment } from '../storage/environment.js';
import { RECORD_ID_SIZE, type BtreeIndex } from './btree-index.js';
import type { KeyRange } from './key-ranges.js';
import type { IndexPlan, Plan, UnionPlan } from './planner.js';
import { RecordSet } from './record-set.js';

const FIRST_CHUNK = 24;
const MAX_CHUNK = 512;
/** What an index entry takes in the file, roughly. */
const ENTRY_BYTES = 70;
const FIRST_KEY_AFTER = Buffer.of(0);

/** What a scan has read so far. */
export interface ScanStats {
  keysExamined: number;
  docsExamined: number;
}

export interface Found {
  readonly recordId: number;
  readonly raw: Buffer;
}

/**
 * The records that a plan leads to, each once, however the documents change meanwhile. Nothing of LMDB stays open between two
 * steps, so that the iterator may be kept for as long as the collection exists.
 */
export function* scanPlan(
  environment: Environment,
  collection: Collection,
  plan: Plan,
  stats: ScanStats,
): Generator<Found> {
  if (plan.kind === 'collection') {
    for (const record of collection.scan(plan.reverse)) {
      stats.docsExamined++;
      yield record;
    }
    return;
  }
  const seen = new RecordSet();
  for (const recordId of scanKeys(environment, plan)) {
    stats.keysExamined++;
    if (!seen.add(recordId)) continue;
    stats.docsExamined++;
    const raw = collection.read(recordId);
    if (raw) yield { recordId, raw };
  }
}

function* scanKeys(environment: Environment, plan: IndexPlan | UnionPlan): Generator<number> {
  const plans = plan.kind === 'union' ? plan.branches : [plan];
  for (const one of plans) yield* scanIndex(environment, one);
}

/** Record ids in the index's order; a record with several keys comes several times. */
export function* scanIndex(
  environment: Environment,
  { index, ranges, reverse }: IndexPlan,
): Generator<number> {
  const ordered = reverse ? ranges.toReversed() : ranges;
  for (const range of ordered) yield* scanRange(environment, index, range, reverse);
}

interface Entry {
  readonly key: Buffer;
  readonly recordId: number;
}

function* scanRange(
  environment: Environment,
  index: BtreeIndex,
  range: KeyRange,
  reverse: boolean,
): Generator<number> {
  let last: Buffer | undefined;
  let size = FIRST_CHUNK;
  for (;;) {
    const version = environment.version;
    const chunk = readChunk(environment, index, range, reverse, last, size);
    for (const { key, recordId } of chunk) {
      last = key;
      yield recordId;
      if (environment.version !== version) break;
    }
    if (environment.version === version && chunk.length < size) return;
    size = Math.min(size * 4, MAX_CHUNK);
  }
}

function readChunk(
  environment: Environment,
  index: BtreeIndex,
  range: KeyRange,
  reverse: boolean,
  last: Buffer | undefined,
  limit: number,
): Entry[] {
  // LMDB's reverse ranges include their start and leave out their end; ours include the lower end.
  const bounds = reverse
    ? { start: last ?? range.end, reverse: true }
    : { start: last ? Buffer.concat([last, FIRST_KEY_AFTER]) : range.start, end: range.end };
  const { unique } = index.definition;
  const entries: Entry[] = [];
  for (const { key, value } of readStore(environment, unique, bounds)) {
    if (reverse) {
      if (Buffer.compare(key, last ?? range.end) >= 0) continue;
      if (Buffer.compare(key, range.start) < 0) break;
    }
    entries.push({ key, recordId: recordIdOf(value ?? key) });
    if (entries.length === limit) break;
  }
  environment.touched(1, entries.length * ENTRY_BYTES);
  return entries;
}

/** A unique index has the record id for a value, the others at the end of the key. */
function* readStore(
  { entries }: Environment,
  withValues: boolean,
  bounds: { start: Buffer; end?: Buffer; reverse?: boolean },
): Generator<{ key: Buffer; value?: Buffer }> {
  if (withValues) {
    for (const { key, value } of entries.getRange(bounds)) yield { key: asBuffer(key), value };
  } else {
    for (const key of entries.getKeys(bounds)) yield { key: asBuffer(key) };
  }
}

function recordIdOf(bytes: Buffer): number {
  return bytes.readUIntBE(bytes.length - RECORD_ID_SIZE, RECORD_ID_SIZE);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
