import type { Binary, BSONRegExp } from 'bson';
import {
  type DecimalParts,
  decimalParts,
  digitCount,
  exactFromDouble,
  pow10,
  signedCoefficient,
} from './decimal.js';
import {
  BsonType,
  bsonType,
  type DbPointer,
  type Doc,
  isNumber,
  isTagged,
  type JavaScriptCode,
  type NumberValue,
  type Tagged,
  textOf,
  type Value,
} from './values.js';

/** The type bracket: values of different brackets sort by it, and range predicates do not leave it. */
export function canonicalType(v: Value): number {
  switch (bsonType(v)) {
    case BsonType.minKey:
      return -1;
    case BsonType.maxKey:
      return 127;
    case BsonType.undefined:
      return 0;
    case BsonType.null:
      return 5;
    case BsonType.int:
    case BsonType.double:
    case BsonType.long:
    case BsonType.decimal:
      return 10;
    case BsonType.string:
    case BsonType.symbol:
      return 15;
    case BsonType.object:
      return 20;
    case BsonType.array:
      return 25;
    case BsonType.binData:
      return 30;
    case BsonType.objectId:
      return 35;
    case BsonType.bool:
      return 40;
    case BsonType.date:
      return 45;
    case BsonType.timestamp:
      return 47;
    case BsonType.regex:
      return 50;
    case BsonType.dbPointer:
      return 55;
    case BsonType.javascript:
      return 60;
    default:
      return 65;
  }
}

/**
 * MongoDB's BSON order over all types: negative, zero or positive. Numbers compare by exact value whatever their
 * type; NaN equals NaN and is below every number; 0 equals -0. Documents compare field by field: type, name, value.
 */
export function compareValues(a: Value, b: Value, text = compareStrings): number {
  if (typeof a === 'string' && typeof b === 'string') return text(a, b);
  const difference = canonicalType(a) - canonicalType(b);
  return difference === 0 ? compareWithinType(a, b, text) : difference;
}

/** Both are of the same type bracket. */
function compareWithinType(a: Value, b: Value, text: typeof compareStrings): number {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (a instanceof Map && b instanceof Map) return compareDocs(a, b, text);
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b, text);
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (typeof a === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' || typeof b === 'string') return text(textOf(a) ?? '', textOf(b) ?? '');
  return isTagged(a) && isTagged(b) ? compareTagged(a, b) : 0;
}

function compareTagged(a: Tagged, b: Tagged): number {
  if (a['_bsontype'] === 'ObjectId' && b['_bsontype'] === 'ObjectId') return Buffer.compare(a.id, b.id);
  if (a['_bsontype'] === 'Binary' && b['_bsontype'] === 'Binary') return compareBinary(a, b);
  if (a['_bsontype'] === 'Timestamp' && b['_bsontype'] === 'Timestamp')
    return order(a.toBigInt(), b.toBigInt());
  if (a['_bsontype'] === 'BSONRegExp' && b['_bsontype'] === 'BSONRegExp') return compareRegex(a, b);
  if (a['_bsontype'] === 'BSONSymbol') return compareStrings(textOf(a) ?? '', textOf(b) ?? '');
  if (a['_bsontype'] === 'DBPointer' && b['_bsontype'] === 'DBPointer') return comparePointers(a, b);
  if (a['_bsontype'] === 'Code' && b['_bsontype'] === 'Code') return compareCode(a, b);
  return 0;
}

/** By bytes of UTF-8, that is by code point; UTF-16 units alone would put astral characters before U+E000. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      const xSurrogate = x >= 0xd800 && x <= 0xdfff;
      const ySurrogate = y >= 0xd800 && y <= 0xdfff;
      return xSurrogate === ySurrogate ? x - y : xSurrogate ? 1 : ySurrogate ? -1 : x - y;
    }
  }
  return a.length - b.length;
}

function order<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A number as a JavaScript number where that is exact. */
function asSafeNumber(v: NumberValue): number | undefined {
  if (v['_bsontype'] === 'Int32' || v['_bsontype'] === 'Double') return v.value;
  if (v['_bsontype'] === 'Long' && v.high >= -0x200000 && v.high < 0x200000) return v.toNumber();
  return undefined;
}

function compareNumbers(a: NumberValue, b: NumberValue): number {
  const x = asSafeNumber(a);
  const y = asSafeNumber(b);
  if (x !== undefined && y !== undefined) {
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
    return order(x, y);
  }
  if (a['_bsontype'] === 'Long' && b['_bsontype'] === 'Long') return a.compare(b);
  return compareParts(exactParts(a), exactParts(b));
}

function exactParts(v: NumberValue): DecimalParts {
  if (v['_bsontype'] === 'Decimal128') return decimalParts(v);
  if (v['_bsontype'] === 'Long') return { kind: 'finite', ...absolute(v.toBigInt()), exponent: 0 };
  if (Number.isNaN(v.value)) return { kind: 'nan' };
  if (!Number.isFinite(v.value)) return { kind: 'infinite', negative: v.value < 0 };
  return exactFromDouble(v.value);
}

function absolute(n: bigint): { negative: boolean; coefficient: bigint } {
  return { negative: n < 0n, coefficient: n < 0n ? -n : n };
}

export function compareParts(a: DecimalParts, b: DecimalParts): number {
  if (a.kind === 'nan' || b.kind === 'nan') return Number(b.kind === 'nan') - Number(a.kind === 'nan');
  const signA = signOf(a);
  const signB = signOf(b);
  if (signA !== signB || signA === 0) return signA - signB;
  if (a.kind === 'infinite') return b.kind === 'infinite' ? 0 : signA;
  if (b.kind === 'infinite') return -signA;
  // Magnitudes first: aligning 1E6000 with 1E-6000 would build numbers of thousands of digits.
  const magnitude = digitCount(a.coefficient) + a.exponent - (digitCount(b.coefficient) + b.exponent);
  if (magnitude !== 0) return signA * magnitude;
  const exponent = Math.min(a.exponent, b.exponent);
  return order(
    signedCoefficient(a) * pow10(a.exponent - exponent),
    signedCoefficient(b) * pow10(b.exponent - exponent),
  );
}

function signOf(d: Exclude<DecimalParts, { kind: 'nan' }>): number {
  if (d.kind === 'finite' && d.coefficient === 0n) return 0;
  return d.negative ? -1 : 1;
}

export function compareDocs(a: Doc, b: Doc, text = compareStrings): number {
  const right = b.entries();
  for (const [key, value] of a) {
    const next = right.next();
    if (next.done === true) return 1;
    const [otherKey, otherValue] = next.value;
    const byType = canonicalType(value) - canonicalType(otherValue);
    if (byType !== 0) return byType;
    const byName = compareStrings(key, otherKey);
    if (byName !== 0) return byName;
    const byValue = compareValues(value, otherValue, text);
    if (byValue !== 0) return byValue;
  }
  return a.size - b.size;
}

function compareArrays(a: Value[], b: Value[], text: typeof compareStrings): number {
  for (const [i, value] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const result = compareValues(value, other, text);
    if (result !== 0) return result;
  }
  return a.length - b.length;
}

function compareBinary(a: Binary, b: Binary): number {
  if (a.position !== b.position) return a.position - b.position;
  if (a.sub_type !== b.sub_type) return a.sub_type - b.sub_type;
  return Buffer.compare(a.buffer.subarray(0, a.position), b.buffer.subarray(0, b.position));
}

function compareRegex(a: BSONRegExp, b: BSONRegExp): number {
  const byPattern = compareStrings(a.pattern, b.pattern);
  return byPattern === 0 ? compareStrings(a.options, b.options) : byPattern;
}

function comparePointers(a: DbPointer, b: DbPointer): number {
  const byLength = Buffer.byteLength(a.namespace) - Buffer.byteLength(b.namespace);
  if (byLength !== 0) return byLength;
  const byName = compareStrings(a.namespace, b.namespace);
  return byName === 0 ? Buffer.compare(a.id.id, b.id.id) : byName;
}

function compareCode(a: JavaScriptCode, b: JavaScriptCode): number {
  const byCode = compareStrings(a.code, b.code);
  return byCode !== 0 || !a.scope || !b.scope ? byCode : compareDocs(a.scope, b.scope);
}

/** Equal in BSON order: 1 and 1.0 are. */
export function valuesEqual(a: Value, b: Value): boolean {
  return a === b || compareValues(a, b) === 0;
}
