import type { Decimal128, Long } from 'bson';
import type { NumberValue } from '../bson/values.js';

export const NUMBER_KEY_MIN_SIZE = 9;
const EXACT = 0;
const ABOVE = 1;
/** Biased so that every decimal exponent of a Decimal128 (-6176 to 6144) is positive in 16 bits. */
const EXPONENT_BIAS = 8000;
const scratch = new DataView(new ArrayBuffer(8));

/** A finite number other than zero as sign · 0.d₁d₂d₃… · 10^exponent, first and last digit not zero. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/**
 * Bytes whose order is the numbers' exact order across the four types, equal exactly when the numbers are equal; no key is a
 * prefix of another. NaN comes first, -0 equals 0.
 *
 * Nine bytes: the largest double that is not above the number, and whether that is the number itself. Where it is not (a
 * Long beyond 2^53, most Decimal128) the number's decimal digits follow.
 */
export function encodeNumber(value: NumberValue): Buffer {
  if (value['_bsontype'] === 'Long') return encodeLong(value);
  return value['_bsontype'] === 'Decimal128' ? encodeDecimal(value) : exactKey(value.value);
}

function exactKey(value: number): Buffer {
  const key = Buffer.allocUnsafe(NUMBER_KEY_MIN_SIZE);
  writeOrderedDouble(key, value);
  key[8] = EXACT;
  return key;
}

function writeOrderedDouble(target: Buffer, value: number): void {
  if (Number.isNaN(value)) {
    target.fill(0, 0, 8);
    return;
  }
  scratch.setFloat64(0, value === 0 ? 0 : value);
  const high = scratch.getUint32(0);
  const low = scratch.getUint32(4);
  const negative = high >= 0x80000000;
  target.writeUInt32BE((negative ? ~high : high | 0x80000000) >>> 0, 0);
  target.writeUInt32BE((negative ? ~low : low) >>> 0, 4);
}

function encodeLong(value: Long): Buffer {
  const approximate = value.toNumber();
  if (Number.isSafeInteger(approximate)) return exactKey(approximate);
  const exact = value.toBigInt();
  if (BigInt(approximate) === exact) return exactKey(approximate);
  const floor = BigInt(approximate) > exact ? nextBelow(approximate) : approximate;
  const text = (exact < 0n ? -exact : exact).toString();
  return keyAbove(floor, { negative: exact < 0n, digits: text.replace(/0+$/, ''), exponent: text.length });
}

function encodeDecimal(value: Decimal128): Buffer {
  const text = value.toString();
  if (text.endsWith('NaN')) return exactKey(Number.NaN);
  if (text.endsWith('Infinity')) return exactKey(text.startsWith('-') ? -Infinity : Infinity);
  const decimal = parseDecimal(text);
  if (!decimal) return exactKey(0);
  const floor = floorDouble(decimal, Number(text));
  return floor.exact ? exactKey(floor.value) : keyAbove(floor.value, decimal);
}

function parseDecimal(text: string): Decimal | undefined {
  const negative = text.startsWith('-');
  const [mantissa = '', power = '0'] = text.replace(/^[+-]/, '').split('E');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  if (digits === '') return undefined;
  const exponent = Number(power) + whole.length - (all.length - digits.length);
  return { negative, digits: digits.replace(/0+$/, ''), exponent };
}

function floorDouble(decimal: Decimal, nearest: number): { value: number; exact: boolean } {
  if (nearest === Infinity) return { value: Number.MAX_VALUE, exact: false };
  if (nearest === -Infinity) return { value: -Infinity, exact: false };
  if (nearest === 0) return { value: decimal.negative ? -Number.MIN_VALUE : 0, exact: false };
  const order = compareWithDouble(decimal, nearest);
  return { value: order < 0 ? nextBelow(nearest) : nearest, exact: order === 0 };
}

function compareWithDouble(decimal: Decimal, double: number): number {
  const integer = BigInt(decimal.digits) * (decimal.negative ? -1n : 1n);
  const power = decimal.exponent - decimal.digits.length;
  const { mantissa, power: binaryPower } = splitDouble(double);
  let left = integer;
  let right = mantissa;
  if (power >= 0) left *= 10n ** BigInt(power);
  else right *= 10n ** BigInt(-power);
  if (binaryPower >= 0) right *= 2n ** BigInt(binaryPower);
  else left *= 2n ** BigInt(-binaryPower);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function splitDouble(value: number): { mantissa: bigint; power: number } {
  scratch.setFloat64(0, value);
  const bits = scratch.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: value < 0 ? -magnitude : magnitude, power: (biased === 0 ? 1 : biased) - 1075 };
}

function nextBelow(value: number): number {
  scratch.setFloat64(0, value);
  const bits = scratch.getBigInt64(0);
  scratch.setBigInt64(0, value > 0 ? bits - 1n : bits + 1n);
  return scratch.getFloat64(0);
}

function keyAbove(floor: number, { negative, digits, exponent }: Decimal): Buffer {
  const padded = digits.length % 2 ? `${digits}0` : digits;
  const tail = Buffer.allocUnsafe(3 + padded.length / 2);
  tail.writeUInt16BE(exponent + EXPONENT_BIAS, 0);
  for (let index = 0; index < padded.length; index += 2) {
    tail[2 + index / 2] = Number(padded.slice(index, index + 2)) + 1;
  }
  tail[tail.length - 1] = 0;
  if (negative) for (const [index, byte] of tail.entries()) tail[index] = ~byte;
  const head = exactKey(floor);
  head[8] = ABOVE;
  return Buffer.concat([head, tail]);
}
