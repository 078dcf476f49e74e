import { canonicalType } from '../bson/compare.js';
import { isDecimal, isDouble, isUndefined, UNDEFINED, type Value } from '../bson/values.js';
import type { Predicate } from './predicates.js';
import { bracketOf, encodeValue } from './value-key.js';

/** A place in an index field's order: just before or just after all keys that begin with `bytes`. */
export interface Edge {
  readonly bytes: Buffer;
  readonly after: boolean;
}

export interface Interval {
  readonly lower: Edge;
  readonly upper: Edge;
}

/** What an index field is restricted to by the predicates on its path, in ascending order of the field's values. */
export interface FieldBounds {
  /** All of the same value each: further fields of the index can be bounded, too. */
  readonly points: boolean;
  readonly intervals: readonly Interval[];
  /** The predicates that the intervals express completely; the others have to be checked on the document. */
  readonly exact: readonly Predicate[];
}

const NULL = 5;
const NUMBERS = 10;
const OBJECTS = 20;
const ARRAYS = 25;
const TIMESTAMPS = 47;

/** Undefined when no predicate of the path helps. A multikey field's values are bounded from one side only. */
export function fieldBounds(predicates: readonly Predicate[], multikey: boolean): FieldBounds | undefined {
  const equality = predicates.find(({ op, operand }) => op === '$eq' && hasPoints(operand));
  if (equality) return pointBounds(equality, [equality.operand]);
  const list = predicates.find(({ op, operand }) => op === '$in' && isPointList(operand));
  if (list && Array.isArray(list.operand)) return pointBounds(list, list.operand);
  return rangeBounds(predicates, multikey);
}

function isPointList(operand: Value): boolean {
  return Array.isArray(operand) && operand.length > 0 && operand.every((value) => hasPoints(value));
}

/** Arrays are matched as a whole or by element, regular expressions by their text: no single key stands for them. */
function hasPoints(operand: Value): boolean {
  const type = canonicalType(operand);
  return type >= NULL && type <= TIMESTAMPS && type !== ARRAYS;
}

function pointBounds(predicate: Predicate, operands: readonly Value[]): FieldBounds {
  const keys = new Map<string, Buffer>();
  let exact = true;
  for (const operand of operands) {
    addPoint(keys, operand);
    // A missing field is indexed as null, and an empty array as undefined: what null finds has to be looked at.
    if (operand === null) addPoint(keys, UNDEFINED);
    if (!isOrdered(operand)) exact = false;
  }
  const intervals = [...keys.values()].toSorted((a, b) => Buffer.compare(a, b)).map(point);
  return { points: true, intervals, exact: exact ? [predicate] : [] };
}

function addPoint(keys: Map<string, Buffer>, value: Value): void {
  const key = encodeValue(value);
  keys.set(key.toString('latin1'), key);
}

function point(bytes: Buffer): Interval {
  return { lower: { bytes, after: false }, upper: { bytes, after: true } };
}

function rangeBounds(predicates: readonly Predicate[], multikey: boolean): FieldBounds | undefined {
  const lower = predicates.find(({ op, operand }) => (op === '$gt' || op === '$gte') && isOrdered(operand));
  const upper = predicates.find(({ op, operand }) => (op === '$lt' || op === '$lte') && isOrdered(operand));
  const first = lower ?? upper;
  if (!first) return undefined;
  const bracket = bracketInterval(first.operand);
  if (lower && upper && !multikey && canonicalType(lower.operand) === canonicalType(upper.operand)) {
    return range([lower, upper], { lower: lowerEdge(lower), upper: upperEdge(upper) });
  }
  return lower
    ? range([lower], { lower: lowerEdge(lower), upper: bracket.upper })
    : range([first], { lower: bracket.lower, upper: upperEdge(first) });
}

function range(exact: readonly Predicate[], interval: Interval): FieldBounds {
  return { points: false, intervals: [interval], exact };
}

function lowerEdge({ op, operand }: Predicate): Edge {
  return { bytes: encodeValue(operand), after: op === '$gt' };
}

function upperEdge({ op, operand }: Predicate): Edge {
  return { bytes: encodeValue(operand), after: op === '$lte' };
}

/** The keys of all values that a range with this operand can match: those of its type, without NaN. */
function bracketInterval(operand: Value): Interval {
  const bytes = Buffer.of(bracketOf(operand));
  const upper = { bytes, after: true };
  if (canonicalType(operand) !== NUMBERS) return { lower: { bytes, after: false }, upper };
  const nan = Buffer.concat([bytes, Buffer.alloc(9)]);
  return { lower: { bytes: nan, after: true }, upper };
}

/** Scalars for which "equal keys" and "greater key" mean exactly what the query operators mean. */
export function isOrdered(operand: Value): boolean {
  const type = canonicalType(operand);
  if (type < NUMBERS || type > TIMESTAMPS || type === OBJECTS || type === ARRAYS) return false;
  return !isNaNValue(operand) && !isUndefined(operand);
}

function isNaNValue(operand: Value): boolean {
  if (isDouble(operand)) return Number.isNaN(operand.value);
  return isDecimal(operand) && operand.toString() === 'NaN';
}
