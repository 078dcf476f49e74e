import { Double } from 'bson';
import { integer, toBigInt, toDecimalParts, toDouble } from '../../bson/arithmetic.js';
import {
  divideHalfEven,
  type Finite,
  decimalToDouble,
  exactFromDouble,
  makeDecimal,
  pow10,
  digitCount,
} from '../../bson/decimal.js';
import { isDecimal, isDouble, isInt32, isNumber, type NumberValue, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { exactInteger } from '../../query/numbers.js';
import { isAbsent, type Maybe, ranged, typeText } from '../arguments.js';
import type { OperatorTable } from '../scope.js';
import { numeric } from './arithmetic.js';

type Rounding = (numerator: bigint, denominator: bigint, negative: boolean) => bigint;

const halfEven: Rounding = (numerator, denominator) => divideHalfEven(numerator, denominator);
const truncate: Rounding = (numerator, denominator) => numerator / denominator;
const up: Rounding = (numerator, denominator, negative) =>
  numerator / denominator + (!negative && numerator % denominator > 0n ? 1n : 0n);
const down: Rounding = (numerator, denominator, negative) =>
  numerator / denominator + (negative && numerator % denominator > 0n ? 1n : 0n);

/** Rounds to so many decimal places, which may be negative. The type stays, but an Int32 that grows becomes a Long. */
function roundTo(value: NumberValue, places: number, rounding: Rounding): Value {
  if (isDouble(value)) {
    if (!Number.isFinite(value.value)) return value;
    return new Double(decimalToDouble(rounded(exactFromDouble(value.value), places, rounding)));
  }
  const parts = toDecimalParts(value);
  if (parts.kind !== 'finite') return value;
  const result = rounded(parts, places, rounding);
  if (isDecimal(value)) return makeDecimal(result);
  const whole = result.coefficient * pow10(Math.max(0, result.exponent));
  const fitting = integer(result.negative ? -whole : whole, isInt32(value));
  if (fitting === undefined) throw new MongoError(51080, 'Invalid conversion to long during rounding');
  return toBigInt(fitting) === toBigInt(value) ? value : fitting;
}

function rounded(d: Finite, places: number, rounding: Rounding): Finite {
  const drop = -places - d.exponent;
  if (drop <= 0) return d;
  // So far below the last place that only the side of zero counts.
  const scale = pow10(Math.min(drop, digitCount(d.coefficient) + 1));
  return { ...d, coefficient: rounding(d.coefficient, scale, d.negative), exponent: -places };
}

function toPlaces(name: string, rounding: Rounding) {
  return ranged(name, 1, 2, ([value, places]: Maybe[]) => {
    if (isAbsent(value) || places === null) return null;
    if (!isNumber(value))
      throw new MongoError(51081, `${name} only supports numeric types, not ${typeText(value)}`);
    return roundTo(value, placesOf(name, places), rounding);
  });
}

function placesOf(name: string, places: Maybe): number {
  if (places === undefined) return 0;
  const count = exactInteger(places);
  if (count === undefined)
    throw new MongoError(51082, `precision argument to ${name} must be a integral value`);
  if (count < -20n || count > 100n) {
    throw new MongoError(
      51083,
      `cannot apply ${name} with precision value ${count} value must be in [-20, 100]`,
    );
  }
  return Number(count);
}

export const roundingOperators: OperatorTable = {
  $round: toPlaces('$round', halfEven),
  $trunc: toPlaces('$trunc', truncate),
  $ceil: numeric('$ceil', (value) =>
    isDouble(value) ? new Double(Math.ceil(toDouble(value))) : roundTo(value, 0, up),
  ),
  $floor: numeric('$floor', (value) =>
    isDouble(value) ? new Double(Math.floor(toDouble(value))) : roundTo(value, 0, down),
  ),
};
