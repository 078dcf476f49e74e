import { BsonType, bsonType, isNumber, type Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { display } from '../bson/display.js';
import { type FieldTest, leaf } from './field-test.js';
import { exactInteger, toDouble, truncateToLong } from './numbers.js';

const CODES = new Map<string, number>(Object.entries(BsonType));
const KNOWN_CODES = new Set<number>(Object.values(BsonType));
const NUMBER_TYPES = [BsonType.double, BsonType.int, BsonType.long, BsonType.decimal];

/** `$type`: a type code, an alias, 'number', or an array of these. */
export function typeTest(operand: Value): FieldTest {
  const wanted = Array.isArray(operand) ? operand.flatMap(typeCodes) : typeCodes(operand);
  if (wanted.length === 0) throw new MongoError(ErrorCode.FailedToParse, 'must match at least one type');
  const codes = new Set(wanted);
  return leaf((value) => value !== undefined && codes.has(bsonType(value)));
}

function typeCodes(operand: Value): number[] {
  if (typeof operand === 'string') {
    if (operand === 'number') return NUMBER_TYPES;
    const code = CODES.get(operand);
    if (code === undefined) throw badValue(`Unknown type name alias: ${operand}`);
    return [code];
  }
  if (!isNumber(operand))
    throw new MongoError(ErrorCode.TypeMismatch, 'type must be represented as a number or a string');
  const code = Number(exactInteger(operand));
  if (code === 0) throw badValue(`Invalid numerical type code: 0. Instead use {$exists:false}.`);
  if (!KNOWN_CODES.has(code)) throw badValue(`Invalid numerical type code: ${numberText(operand)}`);
  return [code];
}

function numberText(v: Value): string {
  return isNumber(v) ? String(toDouble(v)) : display(v);
}

/** `$mod: [divisor, remainder]`, both truncated to 64-bit integers as the tested value is. */
export function modTest(operand: Value): FieldTest {
  if (!Array.isArray(operand)) throw badValue('malformed mod, needs to be an array');
  if (operand.length < 2) throw badValue('malformed mod, not enough elements');
  if (operand.length > 2) throw badValue('malformed mod, too many elements');
  const divisor = modOperand(operand[0], 'divisor');
  const remainder = modOperand(operand[1], 'remainder');
  if (divisor === 0n) throw badValue('divisor cannot be 0');
  return leaf((value) => {
    const dividend = isNumber(value) ? truncateToLong(value) : undefined;
    return dividend !== undefined && dividend % divisor === remainder;
  });
}

function modOperand(operand: Value | undefined, name: string): bigint {
  if (!isNumber(operand)) throw badValue(`malformed mod, ${name} not a number`);
  const value = truncateToLong(operand);
  if (value === undefined) {
    throw badValue(
      `malformed mod, ${name} value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type`,
    );
  }
  return value;
}

/** `$size`: only whole arrays are looked at. */
export function sizeTest(operand: Value): FieldTest {
  const size = exactInteger(operand);
  if (size === undefined) {
    throw badValue(
      `Failed to parse $size. Expected ${isNumber(operand) ? 'an integer' : 'a number'} in: $size: ${display(operand)}`,
    );
  }
  if (size < 0n)
    throw badValue(`Failed to parse $size. Expected a non-negative number in: $size: ${display(operand)}`);
  return leaf((value) => Array.isArray(value) && value.length === Number(size), false);
}
