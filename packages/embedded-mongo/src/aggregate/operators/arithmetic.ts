import { Double, Int32, Long } from 'bson';
import {
  add,
  divideDecimals,
  multiply,
  subtract,
  toBigInt,
  toDecimalParts,
  toDouble,
} from '../../bson/arithmetic.js';
import { makeDecimal } from '../../bson/decimal.js';
import {
  isDecimal,
  isDouble,
  isInt32,
  isLong,
  isNumber,
  type NumberValue,
  typeName,
  type Value,
} from '../../bson/values.js';
import { badValue, MongoError } from '../../errors.js';
import { fixed, isAbsent, type Maybe, typeMismatch, typeText, variadic } from '../arguments.js';
import type { OperatorTable } from '../scope.js';
import { remainder } from './remainder.js';

/** Integers beyond 64 bits continue as doubles in expressions, unlike in updates. */
type Operation = (a: NumberValue, b: NumberValue) => NumberValue | undefined;

function orDouble(operation: Operation, a: NumberValue, b: NumberValue): NumberValue {
  return operation(a, b) ?? operation(new Double(toDouble(a)), b) ?? new Double(Number.NaN);
}

function addAll(values: readonly Maybe[]): Value {
  let sum: NumberValue = new Int32(0);
  let hasDate = false;
  for (const value of values) {
    if (isAbsent(value)) return null;
    if (value instanceof Date) {
      if (hasDate) throw new MongoError(16612, 'only one date allowed in an $add expression');
      hasDate = true;
      sum = orDouble(add, sum, Long.fromNumber(value.getTime()));
    } else if (isNumber(value)) {
      sum = orDouble(add, sum, value);
    } else {
      throw typeMismatch(`$add only supports numeric or date types, not ${typeName(value)}`);
    }
  }
  return hasDate ? dateOf(sum) : sum;
}

/** A date from milliseconds, rounded; refused when JavaScript's dates cannot hold it. */
export function dateOf(ms: NumberValue): Date {
  const date = new Date(Math.round(toDouble(ms)));
  if (Number.isNaN(date.getTime())) throw badValue('date overflow');
  return date;
}

function subtractValues(a: Maybe, b: Maybe): Maybe {
  if (isAbsent(a) || isAbsent(b)) return null;
  if (isNumber(a) && isNumber(b)) return orDouble(subtract, a, b);
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime());
  if (a instanceof Date && isNumber(b)) return dateOf(new Double(a.getTime() - toDouble(b)));
  throw typeMismatch(`can't $subtract ${typeName(b)} from ${typeName(a)}`);
}

function multiplyAll(values: readonly Maybe[]): Value {
  let product: NumberValue = new Int32(1);
  for (const value of values) {
    if (isAbsent(value)) return null;
    if (!isNumber(value)) throw typeMismatch(`$multiply only supports numeric types, not ${typeName(value)}`);
    product = orDouble(multiply, product, value);
  }
  return product;
}

function divideValues(a: Maybe, b: Maybe): Maybe {
  if (isAbsent(a) || isAbsent(b)) return null;
  if (!isNumber(a) || !isNumber(b)) {
    throw typeMismatch(`$divide only supports numeric types, not ${typeName(a)} and ${typeName(b)}`);
  }
  if (toDouble(b) === 0) throw badValue("can't $divide by zero");
  if (isDecimal(a) || isDecimal(b)) return makeDecimal(divideDecimals(toDecimalParts(a), toDecimalParts(b)));
  return new Double(toDouble(a) / toDouble(b));
}

/** For functions of one number; null for null, 28765 for what is no number. */
export function numeric(name: string, evaluate: (value: NumberValue) => Value) {
  return fixed(name, 1, (value) => {
    if (isAbsent(value)) return null;
    if (!isNumber(value))
      throw new MongoError(28765, `${name} only supports numeric types, not ${typeText(value)}`);
    return evaluate(value);
  });
}

function absolute(value: NumberValue): Value {
  if (isDecimal(value)) {
    const parts = toDecimalParts(value);
    return makeDecimal(parts.kind === 'nan' ? parts : { ...parts, negative: false });
  }
  if (isDouble(value)) return new Double(Math.abs(value.value));
  const n = toBigInt(value);
  if (n === -(2n ** 63n)) throw new MongoError(28680, "can't take $abs of long long min");
  const size = Long.fromBigInt(n < 0n ? -n : n);
  return isInt32(value) && n !== -0x80000000n ? new Int32(size.toNumber()) : size;
}

/** Functions that give doubles; decimals are refused rather than answered with too few digits. */
function real(name: string, evaluate: (n: number) => number, check?: (n: number) => void) {
  return numeric(name, (value) => {
    if (isDecimal(value)) throw badValue(`${name} of a Decimal128 is not supported`);
    check?.(toDouble(value));
    return new Double(evaluate(toDouble(value)));
  });
}

function positive(code: number, name: string) {
  return (n: number) => {
    if (n <= 0) throw new MongoError(code, `${name}'s argument must be a positive number, but is ${n}`);
  };
}

function power(base: Maybe, exponent: Maybe): Maybe {
  if (isAbsent(base) || isAbsent(exponent)) return null;
  if (!isNumber(base)) throw new MongoError(28762, `$pow's base must be numeric, not ${typeName(base)}`);
  if (!isNumber(exponent))
    throw new MongoError(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
  if (isDecimal(base) || isDecimal(exponent)) throw badValue('$pow of a Decimal128 is not supported');
  if (toDouble(base) === 0 && toDouble(exponent) < 0) {
    throw new MongoError(28764, '$pow cannot take a base of 0 and a negative exponent');
  }
  if (isDouble(base) || isDouble(exponent)) return new Double(toDouble(base) ** toDouble(exponent));
  return integerPower(base, toBigInt(exponent), isLong(base) || isLong(exponent));
}

function integerPower(base: NumberValue, exponent: bigint, asLong: boolean): Value {
  const n = toBigInt(base);
  const isSmall = exponent >= 0n && (exponent < 64n || n === 0n || n === 1n || n === -1n);
  const result = isSmall ? n ** (exponent < 64n ? exponent : exponent % 2n) : undefined;
  if (result === undefined || result > 2n ** 63n - 1n || result < -(2n ** 63n)) {
    return new Double(Number(n) ** Number(exponent));
  }
  const fitsInt32 = result >= -0x80000000n && result <= 0x7fffffffn;
  return fitsInt32 && !asLong ? new Int32(Number(result)) : Long.fromBigInt(result);
}

function logarithm(value: Maybe, base: Maybe): Maybe {
  if (isAbsent(value) || isAbsent(base)) return null;
  if (!isNumber(value))
    throw new MongoError(28756, `$log's argument must be numeric, not ${typeName(value)}`);
  if (!isNumber(base)) throw new MongoError(28757, `$log's base must be numeric, not ${typeName(base)}`);
  if (isDecimal(value) || isDecimal(base)) throw badValue('$log of a Decimal128 is not supported');
  positive(28758, '$log')(toDouble(value));
  if (toDouble(base) <= 0 || toDouble(base) === 1) {
    throw new MongoError(
      28759,
      `$log's base must be a positive number not equal to 1, but is ${toDouble(base)}`,
    );
  }
  return new Double(Math.log(toDouble(value)) / Math.log(toDouble(base)));
}

function nonNegative(n: number): void {
  if (n < 0) throw new MongoError(28714, "$sqrt's argument must be greater than or equal to 0");
}

export const arithmeticOperators: OperatorTable = {
  $add: variadic(addAll),
  $subtract: fixed('$subtract', 2, subtractValues),
  $multiply: variadic(multiplyAll),
  $divide: fixed('$divide', 2, divideValues),
  $mod: fixed('$mod', 2, remainder),
  $abs: numeric('$abs', absolute),
  $sqrt: real('$sqrt', Math.sqrt, nonNegative),
  $exp: real('$exp', Math.exp),
  $ln: real('$ln', Math.log, positive(28766, '$ln')),
  $log10: real('$log10', Math.log10, positive(28761, '$log10')),
  $log: fixed('$log', 2, logarithm),
  $pow: fixed('$pow', 2, power),
};
