import { Decimal128 } from 'bson';

/** A finite Decimal128 taken apart: (negative ? -1 : 1) * coefficient * 10^exponent. */
export interface Finite {
  readonly kind: 'finite';
  readonly negative: boolean;
  readonly coefficient: bigint;
  readonly exponent: number;
}
export type DecimalParts =
  Finite | { readonly kind: 'infinite'; readonly negative: boolean } | { readonly kind: 'nan' };

const BIAS = 6176;
const MAX_EXPONENT = 6111;
const MAX_DIGITS = 34;
const MAX_COEFFICIENT = 10n ** 34n - 1n;

export function pow10(n: number): bigint {
  return 10n ** BigInt(n);
}

export function finite(signed: bigint, exponent: number, negativeZero = false): Finite {
  const negative = signed < 0n || (signed === 0n && negativeZero);
  return { kind: 'finite', negative, coefficient: signed < 0n ? -signed : signed, exponent };
}

export function signedCoefficient(d: Finite): bigint {
  return d.negative ? -d.coefficient : d.coefficient;
}

export function decimalParts(value: Decimal128): DecimalParts {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16);
  const low = view.getBigUint64(0, true);
  const high = view.getBigUint64(8, true);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0x1f) return { kind: 'nan' };
  if (combination === 0x1e) return { kind: 'infinite', negative };
  if (combination >> 3 === 3) {
    // Such coefficients lie beyond 34 digits; the standard reads them as zero.
    return { kind: 'finite', negative, coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) - BIAS };
  }
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | low;
  const exponent = Number((high >> 49n) & 0x3fffn) - BIAS;
  return {
    kind: 'finite',
    negative,
    coefficient: coefficient > MAX_COEFFICIENT ? 0n : coefficient,
    exponent,
  };
}

function pack(negative: boolean, high: bigint, low: bigint): Decimal128 {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, low, true);
  view.setBigUint64(8, negative ? high | (1n << 63n) : high, true);
  return new Decimal128(bytes);
}

/** Divides and rounds half to even, as Decimal128 arithmetic does. Both arguments are not negative. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice > denominator || (twice === denominator && quotient % 2n === 1n)) return quotient + 1n;
  return quotient;
}

/** Builds the Decimal128, rounded to 34 digits half to even; too large becomes Infinity, too small loses digits. */
export function makeDecimal(parts: DecimalParts): Decimal128 {
  if (parts.kind === 'nan') return pack(false, 0x1fn << 58n, 0n);
  if (parts.kind === 'infinite') return pack(parts.negative, 0x1en << 58n, 0n);
  let { coefficient, exponent } = parts;
  let excess = Math.max(digitCount(coefficient) - MAX_DIGITS, -BIAS - exponent);
  while (excess > 0) {
    coefficient = excess > 12000 ? 0n : divideHalfEven(coefficient, pow10(excess));
    exponent += excess;
    excess = digitCount(coefficient) - MAX_DIGITS;
  }
  if (exponent > MAX_EXPONENT) {
    const room = MAX_DIGITS - digitCount(coefficient);
    const shift = exponent - MAX_EXPONENT;
    if (coefficient !== 0n && shift > room)
      return makeDecimal({ kind: 'infinite', negative: parts.negative });
    if (coefficient !== 0n) coefficient *= pow10(shift);
    exponent = MAX_EXPONENT;
  }
  exponent = Math.max(exponent, -BIAS);
  return pack(
    parts.negative,
    (BigInt(exponent + BIAS) << 49n) | (coefficient >> 64n),
    coefficient & 0xffffffffffffffffn,
  );
}

export function digitCount(n: bigint): number {
  return n === 0n ? 1 : n.toString().length;
}

/** Drops trailing zeros of the coefficient; the value stays the same. */
export function stripZeros(d: Finite): Finite {
  if (d.coefficient === 0n) return { ...d, exponent: 0 };
  const text = d.coefficient.toString();
  const zeros = text.length - text.replace(/0+$/, '').length;
  return zeros === 0 ? d : { ...d, coefficient: d.coefficient / pow10(zeros), exponent: d.exponent + zeros };
}

/** Exactly 15 significant digits, which is how MongoDB turns a double into a decimal in arithmetic. */
export function decimalFromDouble(n: number): DecimalParts {
  if (Number.isNaN(n)) return { kind: 'nan' };
  if (!Number.isFinite(n)) return { kind: 'infinite', negative: n < 0 };
  if (n === 0) return finite(0n, 0, Object.is(n, -0));
  const [mantissa = '0', exponent = '0'] = n.toExponential(14).split('e');
  return finite(BigInt(mantissa.replace('.', '')), Number(exponent) - 14);
}

/** The double's exact value as a decimal fraction, however many digits it takes. */
export function exactFromDouble(n: number): Finite {
  let coefficient = n;
  let halvings = 0;
  while (!Number.isInteger(coefficient)) {
    coefficient *= 2;
    halvings++;
  }
  return finite(BigInt(coefficient) * 5n ** BigInt(halvings), -halvings, Object.is(n, -0));
}

/** Nearest double; infinities and NaN carry over. */
export function decimalToDouble(d: DecimalParts): number {
  if (d.kind === 'nan') return Number.NaN;
  if (d.kind === 'infinite') return d.negative ? -Infinity : Infinity;
  return Number(`${d.negative ? '-' : ''}${d.coefficient}e${d.exponent}`);
}

/** Integer part towards zero, or undefined for NaN, infinities and anything far beyond 64 bits. */
export function decimalToBigInt(d: DecimalParts): bigint | undefined {
  if (d.kind !== 'finite') return undefined;
  if (d.coefficient === 0n) return 0n;
  if (digitCount(d.coefficient) + d.exponent > 40) return undefined;
  if (digitCount(d.coefficient) + d.exponent <= 0) return 0n;
  const signed = signedCoefficient(d);
  return d.exponent >= 0 ? signed * pow10(d.exponent) : signed / pow10(-d.exponent);
}
