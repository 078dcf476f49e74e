import { decimalParts, decimalToBigInt, decimalToDouble } from '../bson/decimal.js';
import { isDecimal, isLong, isNumber, type NumberValue, type Value } from '../bson/values.js';

const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

export function fitsLong(n: bigint): boolean {
  return n >= MIN_LONG && n <= MAX_LONG;
}

/** The number as a double, rounded where it must be. */
export function toDouble(v: NumberValue): number {
  if (isDecimal(v)) return decimalToDouble(decimalParts(v));
  return isLong(v) ? v.toNumber() : v.value;
}

/** Truncated towards zero; undefined for NaN, infinities and numbers beyond 64 bits. */
export function truncateToLong(v: NumberValue): bigint | undefined {
  if (isLong(v)) return v.toBigInt();
  const whole = isDecimal(v) ? decimalToBigInt(decimalParts(v)) : wholePart(v.value);
  return whole !== undefined && fitsLong(whole) ? whole : undefined;
}

function wholePart(n: number): bigint | undefined {
  return Number.isFinite(n) ? BigInt(Math.trunc(n)) : undefined;
}

/** The exact integer that a number of any type is, within 64 bits; undefined when it is none. */
export function exactInteger(v: Value | undefined): bigint | undefined {
  if (!isNumber(v)) return undefined;
  const whole = truncateToLong(v);
  if (whole === undefined) return undefined;
  if (isDecimal(v)) {
    const parts = decimalParts(v);
    const exact =
      parts.kind === 'finite' && (parts.exponent >= 0 || isWhole(parts.coefficient, -parts.exponent));
    return exact ? whole : undefined;
  }
  return isLong(v) || Number.isInteger(v.value) ? whole : undefined;
}

function isWhole(coefficient: bigint, decimals: number): boolean {
  return coefficient === 0n || (decimals <= 40 && coefficient % 10n ** BigInt(decimals) === 0n);
}

/** Whether a value counts as true, as `$exists` and projections take it: all but false, 0, null, undefined. */
export function isTrue(v: Value | undefined): boolean {
  if (v === undefined || v === null || v === false) return false;
  if (isNumber(v)) return isDecimal(v) ? !isZeroDecimal(v) : toDouble(v) !== 0;
  return typeof v === 'object' && '_bsontype' in v ? v['_bsontype'] !== 'Undefined' : true;
}

function isZeroDecimal(v: NumberValue): boolean {
  if (!isDecimal(v)) return false;
  const parts = decimalParts(v);
  return parts.kind === 'finite' && parts.coefficient === 0n;
}
