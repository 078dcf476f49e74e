import { decimalParts } from '../bson/decimal.js';
import { isDecimal, isNumber, tagOf, isTagged, type Value } from '../bson/values.js';
import { badValue } from '../errors.js';
import { display } from '../bson/display.js';
import { type FieldTest, leaf } from './field-test.js';
import { exactInteger } from './numbers.js';

type BitOperator = '$bitsAllSet' | '$bitsAllClear' | '$bitsAnySet' | '$bitsAnyClear';

export function isBitOperator(op: string): op is BitOperator {
  return op === '$bitsAllSet' || op === '$bitsAllClear' || op === '$bitsAnySet' || op === '$bitsAnyClear';
}

/** `$bitsAllSet` and its kin: the mask is an integer, binary data, or a list of positions; numbers are sign-extended. */
export function bitsTest(op: BitOperator, operand: Value): FieldTest {
  const positions = maskPositions(op, operand);
  const wanted = op.endsWith('Set');
  const all = op.startsWith('$bitsAll');
  return leaf((value) => {
    const bit = bitReader(value);
    if (!bit) return false;
    return all ? positions.every((at) => bit(at) === wanted) : positions.some((at) => bit(at) === wanted);
  });
}

function maskPositions(op: BitOperator, operand: Value): number[] {
  if (Array.isArray(operand)) return operand.map((element) => bitPosition(element));
  if (isNumber(operand)) {
    const mask = exactInteger(operand);
    if (mask === undefined || mask < 0n) {
      throw badValue(`Expected a non-negative integer in: ${op}: ${display(operand)}`);
    }
    return positionsOf((at) => ((mask >> BigInt(at)) & 1n) === 1n, 64);
  }
  const bit = bitReader(operand);
  if (!bit) throw badValue(`${op} takes an Array, a number, or a BinData but received: ${display(operand)}`);
  return positionsOf(bit, binaryBits(operand));
}

function bitPosition(element: Value): number {
  const position = exactInteger(element);
  if (position === undefined || position < 0n || position > 0x7fffffffn) {
    throw badValue(`Failed to parse bit position. Expected a non-negative integer in: ${display(element)}`);
  }
  return Number(position);
}

function positionsOf(bit: (at: number) => boolean, count: number): number[] {
  return Array.from({ length: count }, (_, at) => at).filter(bit);
}

function binaryBits(value: Value): number {
  return isTagged(value) && value['_bsontype'] === 'Binary' ? value.position * 8 : 0;
}

function bitReader(value: Value | undefined): ((at: number) => boolean) | undefined {
  if (isTagged(value) && value['_bsontype'] === 'Binary') {
    return (at) => at < value.position * 8 && (((value.buffer[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
  }
  const whole = tagOf(value) === undefined ? undefined : exactInteger(value);
  if (whole === undefined || (isDecimal(value) && decimalParts(value).kind !== 'finite')) return undefined;
  return (at) => ((whole >> BigInt(Math.min(at, 63))) & 1n) === 1n;
}
