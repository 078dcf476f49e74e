import { INDEX_PREFIX_SIZE, invert, TRUNCATED_SIZE, type BtreeIndex } from './btree-index.js';
import { fieldBounds, type Edge, type FieldBounds, type Interval } from './bounds.js';
import { arrayIndex } from '../path.js';
import type { Predicate } from './predicates.js';

/** More combinations of `$in` values than this are not looked up one by one. */
const MAX_RANGES = 20_000;
const LONGEST_KEY_START = INDEX_PREFIX_SIZE + TRUNCATED_SIZE;

/** Stored keys from `start` (inclusive) to `end` (exclusive). */
export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

export interface IndexBounds {
  /** Ascending, without overlap. */
  readonly ranges: readonly KeyRange[];
  /** Fields, from the first on, that are restricted to single values. */
  readonly pointFields: number;
  /** All ranges share one value in each of the point fields. */
  readonly singlePoint: boolean;
  /** The predicates that need no look at the document. */
  readonly exact: ReadonlySet<Predicate>;
  /** The bounds of the fields that are bounded, from the first on. */
  readonly fields: readonly FieldBounds[];
}

/** What part of an index a query's predicates leave. */
export function indexBounds(index: BtreeIndex, predicates: readonly Predicate[]): IndexBounds {
  const applied: FieldBounds[] = [];
  let prefixes: Buffer[] = [index.prefix];
  let last = [WHOLE];
  for (const bounds of boundedFields(index, predicates)) {
    const descending = index.definition.fields[applied.length]?.descending === true;
    const intervals = descending ? bounds.intervals.map(mirror) : bounds.intervals;
    if (prefixes.length * intervals.length > MAX_RANGES) break;
    applied.push(bounds);
    if (bounds.points)
      prefixes = prefixes.flatMap((prefix) => intervals.map(({ lower }) => extend(prefix, lower)));
    else last = [...intervals];
  }
  const ranges = prefixes.flatMap((prefix) => last.map((interval) => rangeOf(prefix, interval)));
  const cut = prefixes.some((prefix) =>
    last.some(({ lower, upper }) => isLong(prefix, lower) || isLong(prefix, upper)),
  );
  return {
    ranges: withoutOverlap(ranges),
    pointFields: applied.filter(({ points }) => points).length,
    singlePoint: prefixes.length === 1,
    exact: new Set(cut ? [] : applied.flatMap(({ exact }) => exact)),
    fields: applied,
  };
}

const EMPTY = Buffer.alloc(0);
const WHOLE: Interval = { lower: { bytes: EMPTY, after: false }, upper: { bytes: EMPTY, after: true } };

function boundedFields(index: BtreeIndex, predicates: readonly Predicate[]): FieldBounds[] {
  const fields: FieldBounds[] = [];
  const arrays = new Set<string>();
  for (const [position, field] of index.definition.fields.entries()) {
    // A query's numeric part means a field of that name, too, which the index may know nothing of.
    if (field.parts.some((part) => arrayIndex(part) >= 0)) break;
    const multikey = (index.multikey & (1 << position)) !== 0;
    const [root = ''] = field.parts;
    // Two fields below one array are indexed by element, but a query may find them in different elements.
    if (multikey && arrays.has(root)) break;
    if (multikey) arrays.add(root);
    const bounds = fieldBounds(
      predicates.filter((predicate) => predicate.path === field.path),
      multikey,
    );
    if (!bounds) break;
    fields.push(bounds);
    if (!bounds.points) break;
  }
  return fields;
}

function mirror({ lower, upper }: Interval): Interval {
  return { lower: flip(upper), upper: flip(lower) };
}

function flip({ bytes, after }: Edge): Edge {
  return { bytes: invert(bytes), after: !after };
}

function extend(prefix: Buffer, point: Edge): Buffer {
  return Buffer.concat([prefix, point.bytes]);
}

function isLong(prefix: Buffer, edge: Edge): boolean {
  return prefix.length + edge.bytes.length > LONGEST_KEY_START;
}

/** Where a bound is longer than what stored keys keep of a long value, the range takes in all that may be inside. */
function rangeOf(prefix: Buffer, { lower, upper }: Interval): KeyRange {
  const start = Buffer.concat([prefix, lower.bytes]);
  const end = Buffer.concat([prefix, upper.bytes]);
  return {
    start:
      start.length > LONGEST_KEY_START
        ? start.subarray(0, LONGEST_KEY_START)
        : lower.after
          ? successor(start)
          : start,
    end:
      end.length > LONGEST_KEY_START
        ? successor(end.subarray(0, LONGEST_KEY_START))
        : upper.after
          ? successor(end)
          : end,
  };
}

/** The first key that does not begin with these bytes and sorts after those that do. */
export function successor(bytes: Buffer): Buffer {
  let last = bytes.length - 1;
  while (bytes[last] === 0xff) last--;
  const next = Buffer.from(bytes.subarray(0, last + 1));
  next[last] = (next[last] ?? 0) + 1;
  return next;
}

function withoutOverlap(ranges: readonly KeyRange[]): KeyRange[] {
  const merged: KeyRange[] = [];
  for (const range of ranges.toSorted((a, b) => Buffer.compare(a.start, b.start))) {
    if (Buffer.compare(range.start, range.end) >= 0) continue;
    const last = merged.at(-1);
    if (!last || Buffer.compare(range.start, last.end) >= 0) merged.push(range);
    else if (Buffer.compare(range.end, last.end) > 0)
      merged[merged.length - 1] = { start: last.start, end: range.end };
  }
  return merged;
}
