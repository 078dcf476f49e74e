import { Decimal128, Double, Int32, Long } from 'bson';
import {
  type DecimalParts,
  decimalFromDouble,
  decimalParts,
  decimalToDouble,
  digitCount,
  type Finite,
  finite,
  makeDecimal,
  pow10,
  signedCoefficient,
} from './decimal.js';
import { isDecimal, isDouble, isInt32, isLong, type NumberValue } from './values.js';

const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

/**
 * The sum in MongoDB's type rules: Decimal128 if either is one, else Double, else Long or Int32; a sum of two Int32
 * that does not fit becomes a Long. undefined: the sum of integers does not fit into 64 bits.
 */
export function add(a: NumberValue, b: NumberValue): NumberValue | undefined {
  if (isDecimal(a) || isDecimal(b)) return makeDecimal(addDecimals(toDecimalParts(a), toDecimalParts(b)));
  if (isDouble(a) || isDouble(b)) return new Double(toDouble(a) + toDouble(b));
  return integer(toBigInt(a) + toBigInt(b), isInt32(a) && isInt32(b));
}

/** As add, for the product. */
export function multiply(a: NumberValue, b: NumberValue): NumberValue | undefined {
  if (isDecimal(a) || isDecimal(b))
    return makeDecimal(multiplyDecimals(toDecimalParts(a), toDecimalParts(b)));
  if (isDouble(a) || isDouble(b)) return new Double(toDouble(a) * toDouble(b));
  return integer(toBigInt(a) * toBigInt(b), isInt32(a) && isInt32(b));
}

/** As add, for the difference. */
export function subtract(a: NumberValue, b: NumberValue): NumberValue | undefined {
  if (isDecimal(a) || isDecimal(b)) {
    return makeDecimal(addDecimals(toDecimalParts(a), negate(toDecimalParts(b))));
  }
  if (isDouble(a) || isDouble(b)) return new Double(toDouble(a) - toDouble(b));
  return integer(toBigInt(a) - toBigInt(b), isInt32(a) && isInt32(b));
}

/** The integer as Int32 when that is asked for and it fits, else as Long; undefined beyond 64 bits. */
export function integer(n: bigint, preferInt32: boolean): Int32 | Long | undefined {
  if (preferInt32 && n >= -0x80000000n && n <= 0x7fffffffn) return new Int32(Number(n));
  return n >= MIN_LONG && n <= MAX_LONG ? Long.fromBigInt(n) : undefined;
}

/** For Int32 and Long. */
export function toBigInt(v: NumberValue): bigint {
  if (isLong(v)) return v.toBigInt();
  return isInt32(v) ? BigInt(v.value) : 0n;
}

export function toDouble(v: NumberValue): number {
  if (isDecimal(v)) return decimalToDouble(decimalParts(v));
  return isLong(v) ? v.toNumber() : v.value;
}

/** As arithmetic sees the number: doubles are taken to 15 digits. */
export function toDecimalParts(v: NumberValue): DecimalParts {
  if (isDecimal(v)) return decimalParts(v);
  return isDouble(v) ? decimalFromDouble(v.value) : finite(toBigInt(v), 0);
}

export function toDecimal(v: NumberValue): Decimal128 {
  return isDecimal(v) ? v : makeDecimal(toDecimalParts(v));
}

export function negate(d: DecimalParts): DecimalParts {
  return d.kind === 'nan' ? d : { ...d, negative: !d.negative };
}

export function addDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind === 'nan' || b.kind === 'nan') return { kind: 'nan' };
  if (a.kind === 'infinite') return b.kind === 'infinite' && a.negative !== b.negative ? { kind: 'nan' } : a;
  if (b.kind === 'infinite') return b;
  const exponent = Math.min(a.exponent, b.exponent);
  return finite(aligned(a, exponent) + aligned(b, exponent), exponent, a.negative && b.negative);
}

function aligned(d: Finite, exponent: number): bigint {
  return d.coefficient === 0n ? 0n : signedCoefficient(d) * pow10(d.exponent - exponent);
}

export function multiplyDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind === 'nan' || b.kind === 'nan') return { kind: 'nan' };
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinite' || b.kind === 'infinite') {
    const zero =
      (a.kind === 'finite' && a.coefficient === 0n) || (b.kind === 'finite' && b.coefficient === 0n);
    return zero ? { kind: 'nan' } : { kind: 'infinite', negative };
  }
  return {
    kind: 'finite',
    negative,
    coefficient: a.coefficient * b.coefficient,
    exponent: a.exponent + b.exponent,
  };
}

/** The quotient to 34 digits; NaN for 0/0, an infinity for anything else by zero. */
export function divideDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind === 'nan' || b.kind === 'nan') return { kind: 'nan' };
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinite') return b.kind === 'infinite' ? { kind: 'nan' } : { kind: 'infinite', negative };
  if (b.kind === 'infinite') return { kind: 'finite', negative, coefficient: 0n, exponent: 0 };
  if (b.coefficient === 0n) return a.coefficient === 0n ? { kind: 'nan' } : { kind: 'infinite', negative };
  return divideFinite(a, b, negative);
}

function divideFinite(a: Finite, b: Finite, negative: boolean): DecimalParts {
  const preferred = a.exponent - b.exponent;
  // Enough digits for 34 and one more that tells on which side of a half the rest lies.
  const shift = Math.max(0, 36 - digitCount(a.coefficient) + digitCount(b.coefficient));
  const scaled = a.coefficient * pow10(shift);
  const quotient = scaled / b.coefficient;
  const exact = quotient * b.coefficient === scaled;
  const sticky: Finite = {
    kind: 'finite',
    negative,
    coefficient: quotient * 10n + (exact ? 0n : 1n),
    exponent: preferred - shift - 1,
  };
  return exact ? towardsExponent(sticky, preferred) : sticky;
}

/** Drops zeros of an exact result until its exponent is the preferred one. */
function towardsExponent(d: Finite, preferred: number): Finite {
  let { coefficient, exponent } = d;
  while (exponent < preferred && coefficient % 10n === 0n && coefficient !== 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return { ...d, coefficient, exponent: coefficient === 0n ? preferred : exponent };
}
