import { Double } from 'bson';
import { integer, toBigInt, toDecimalParts, toDouble } from '../../bson/arithmetic.js';
import { finite, makeDecimal, pow10, signedCoefficient } from '../../bson/decimal.js';
import {
  isDecimal,
  isDouble,
  isInt32,
  isNumber,
  type NumberValue,
  typeName,
  type Value,
} from '../../bson/values.js';
import { badValue, MongoError } from '../../errors.js';
import { isAbsent, type Maybe } from '../arguments.js';

const MAX_SCALE = 200;

/** `$mod`: the remainder has the sign of the dividend. */
export function remainder(a: Maybe, b: Maybe): Maybe {
  if (isAbsent(a) || isAbsent(b)) return null;
  if (!isNumber(a) || !isNumber(b)) {
    throw new MongoError(16611, `$mod only supports numeric types, not ${typeName(a)} and ${typeName(b)}`);
  }
  if (toDouble(b) === 0) throw new MongoError(16610, "can't $mod by zero");
  if (isDecimal(a) || isDecimal(b)) return decimalRemainder(a, b);
  if (isDouble(a) || isDouble(b)) return doubleRemainder(a, b);
  return integer(toBigInt(a) % toBigInt(b), isInt32(a) && isInt32(b));
}

/** MongoDB answers with a Double whenever one operand is one. */
function doubleRemainder(a: NumberValue, b: NumberValue): Value {
  return new Double(toDouble(a) % toDouble(b));
}

function decimalRemainder(a: NumberValue, b: NumberValue): Value {
  const x = toDecimalParts(a);
  const y = toDecimalParts(b);
  if (x.kind !== 'finite' || y.kind === 'nan') return makeDecimal({ kind: 'nan' });
  if (y.kind === 'infinite') return makeDecimal(x);
  const exponent = Math.min(x.exponent, y.exponent);
  if (Math.max(x.exponent, y.exponent) - exponent > MAX_SCALE)
    throw badValue('$mod of so different decimals is not supported');
  const left = signedCoefficient(x) * pow10(x.exponent - exponent);
  const right = signedCoefficient(y) * pow10(y.exponent - exponent);
  return makeDecimal(finite(left % right, exponent, x.negative));
}
