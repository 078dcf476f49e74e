import { Double, Int32, Long, ObjectId } from 'bson';
import { toDecimal, toDouble } from '../../bson/arithmetic.js';
import {
  isDecimal,
  isDouble,
  isInt32,
  isLong,
  isNumber,
  isTagged,
  isTimestamp,
  typeName,
  type Value,
} from '../../bson/values.js';
import { ErrorCode, MongoError } from '../../errors.js';
import { isTrue, truncateToLong } from '../../query/numbers.js';
import { fixed, isAbsent, type Maybe, namedArguments, typeText } from '../arguments.js';
import { parseDate, refuseUncertainDate } from '../parse-date.js';
import { parseDecimal, parseDouble, parseInteger } from '../parse-number.js';
import type { CompileContext, Expr, OperatorTable } from '../scope.js';
import { toText } from '../to-text.js';

function failure(reason: string): MongoError {
  return new MongoError(ErrorCode.ConversionFailure, `${reason} in $convert with no onError value`);
}

function unsupported(v: Value, target: string): MongoError {
  return failure(`Unsupported conversion from ${typeName(v)} to ${target}`);
}

function toWhole(v: Value, target: 'int' | 'long'): Value {
  const number = wholeOf(v, target);
  const isInt = target === 'int';
  if (isInt && (number < -0x80000000n || number > 0x7fffffffn)) {
    throw failure(`Conversion would overflow target type`);
  }
  return isInt ? new Int32(Number(number)) : Long.fromBigInt(number);
}

function wholeOf(v: Value, target: 'int' | 'long'): bigint {
  if (typeof v === 'boolean') return v ? 1n : 0n;
  if (typeof v === 'string') return parseInteger(v, failure);
  if (v instanceof Date && target === 'long') return BigInt(v.getTime());
  if (!isNumber(v)) throw unsupported(v, target);
  const whole = truncateToLong(v);
  if (whole === undefined) {
    const isFinite = Number.isFinite(toDouble(v));
    throw failure(
      isFinite
        ? 'Conversion would overflow target type'
        : 'Attempt to convert infinity or NaN value to integer type',
    );
  }
  return whole;
}

function toDoubleValue(v: Value): Value {
  if (isDouble(v)) return v;
  if (typeof v === 'boolean') return new Double(v ? 1 : 0);
  if (typeof v === 'string') return new Double(parseDouble(v, failure));
  if (v instanceof Date) return new Double(v.getTime());
  if (!isNumber(v)) throw unsupported(v, 'double');
  return new Double(toDouble(v));
}

function toDecimalValue(v: Value): Value {
  if (typeof v === 'boolean') return toDecimal(new Int32(v ? 1 : 0));
  if (typeof v === 'string') return parseDecimal(v, failure);
  if (v instanceof Date) return toDecimal(Long.fromNumber(v.getTime()));
  if (!isNumber(v)) throw unsupported(v, 'decimal');
  return toDecimal(v);
}

function toBool(v: Value): Value {
  return isTrue(v);
}

function toDate(v: Value): Value {
  if (v instanceof Date) return v;
  if (typeof v === 'string') return parseDate(v, failure);
  if (isTimestamp(v)) return new Date(v.t * 1000);
  if (isTagged(v) && v['_bsontype'] === 'ObjectId') return v.getTimestamp();
  if (!isLong(v) && !isDouble(v) && !isDecimal(v)) throw unsupported(v, 'date');
  const ms = truncateToLong(v);
  const date = new Date(Number(ms));
  if (ms === undefined || Number.isNaN(date.getTime()))
    throw failure('Conversion would overflow target type');
  return date;
}

function toObjectId(v: Value): Value {
  if (isTagged(v) && v['_bsontype'] === 'ObjectId') return v;
  if (typeof v !== 'string') throw unsupported(v, 'objectId');
  if (v.length !== 24) {
    throw failure(
      `Failed to parse objectId '${v}' in $convert with no onError value: Invalid string length for parsing to OID, expected 24 but found ${v.length}`,
    );
  }
  if (!/^[\da-fA-F]{24}$/.test(v)) {
    throw failure(
      `Failed to parse objectId '${v}' in $convert with no onError value: Invalid character found in hex string`,
    );
  }
  return new ObjectId(v);
}

function toStringValue(v: Value): Value {
  try {
    return toText(v, ErrorCode.ConversionFailure);
  } catch {
    throw unsupported(v, 'string');
  }
}

type Conversion = (v: Value) => Value;

const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  double: toDoubleValue,
  string: toStringValue,
  objectId: toObjectId,
  bool: toBool,
  date: toDate,
  int: (v) => (isInt32(v) ? v : toWhole(v, 'int')),
  long: (v) => (isLong(v) ? v : toWhole(v, 'long')),
  decimal: toDecimalValue,
};

const BY_CODE: Readonly<Record<number, string>> = {
  1: 'double',
  2: 'string',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  16: 'int',
  18: 'long',
  19: 'decimal',
};

function conversionTo(target: Value): Conversion {
  const name = isNumber(target) ? BY_CODE[toDouble(target)] : target;
  const conversion =
    typeof name === 'string' && Object.hasOwn(CONVERSIONS, name) ? CONVERSIONS[name] : undefined;
  if (conversion) return conversion;
  if (typeof target !== 'string' && !isNumber(target)) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `$convert's 'to' argument must be a string or number, but is ${typeName(target)}`,
    );
  }
  throw new MongoError(
    ErrorCode.BadValue,
    `Unknown type name: ${typeof target === 'string' ? target : String(toDouble(target))}`,
  );
}

function convert(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments(
    '$convert',
    operand,
    ErrorCode.FailedToParse,
    ['input', 'to'],
    ['onError', 'onNull'],
  );
  const part = (name: string): Expr | undefined => {
    const spec = fields.get(name);
    return spec === undefined ? undefined : context.compile(spec);
  };
  const [input, to, onError, onNull] = [part('input'), part('to'), part('onError'), part('onNull')];
  return (scope) => {
    const target = to?.(scope);
    const value = input?.(scope);
    if (isAbsent(value)) return onNull ? onNull(scope) : null;
    if (isAbsent(target)) return null;
    const conversion = conversionTo(target);
    try {
      return conversion(value);
    } catch (error) {
      if (!onError || !(error instanceof MongoError) || error.code !== ErrorCode.ConversionFailure)
        throw error;
      if (conversion === toDate && typeof value === 'string') refuseUncertainDate(value);
      return onError(scope);
    }
  };
}

function converting(name: string, conversion: Conversion | undefined) {
  return fixed(name, 1, (value: Maybe) => (isAbsent(value) || !conversion ? null : conversion(value)));
}

export const conversionOperators: OperatorTable = {
  $type: fixed('$type', 1, typeText),
  $isNumber: fixed('$isNumber', 1, isNumber),
  $convert: convert,
  $toDouble: converting('$toDouble', CONVERSIONS['double']),
  $toString: converting('$toString', CONVERSIONS['string']),
  $toObjectId: converting('$toObjectId', CONVERSIONS['objectId']),
  $toBool: converting('$toBool', CONVERSIONS['bool']),
  $toDate: converting('$toDate', CONVERSIONS['date']),
  $toInt: converting('$toInt', CONVERSIONS['int']),
  $toLong: converting('$toLong', CONVERSIONS['long']),
  $toDecimal: converting('$toDecimal', CONVERSIONS['decimal']),
};
