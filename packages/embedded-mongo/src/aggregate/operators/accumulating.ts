import { isNumber, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { accumulatorFactory } from '../accumulators.js';
import { expressions, isAbsent, type Maybe, typeText } from '../arguments.js';
import { countOf, FirstValues, type FirstValuesName, parseFirstValues } from '../first-values.js';
import type { Operator, OperatorTable } from '../scope.js';
import { Summation } from '../summation.js';
import { compareMaybe } from './logic.js';

/** As an expression an accumulator works on its arguments, or on the elements of its only one. */
function overValues(evaluate: (values: readonly Maybe[]) => Value): Operator {
  return (operand, context) => {
    const parts = expressions(operand, context);
    return (scope) => {
      const values = parts.map((part) => part(scope));
      const [only] = values;
      return evaluate(values.length === 1 && Array.isArray(only) ? only : values);
    };
  };
}

function summed(values: readonly Maybe[]): Summation {
  const sum = new Summation();
  for (const value of values) if (isNumber(value)) sum.add(value);
  return sum;
}

function extreme(sign: 1 | -1): (values: readonly Maybe[]) => Value {
  return (values) => {
    let best: Maybe;
    for (const value of values) {
      if (!isAbsent(value) && (best === undefined || compareMaybe(value, best) * sign > 0)) best = value;
    }
    return best ?? null;
  };
}

function accumulated(name: string): (values: readonly Maybe[]) => Value {
  const create = accumulatorFactory(name);
  return (values) => {
    const accumulator = create();
    for (const value of values) accumulator.add(value);
    return accumulator.result();
  };
}

/** As expressions these take their values from an array. */
function firstValues(name: FirstValuesName): Operator {
  return (operand, context) => {
    const { input, n } = parseFirstValues(name, operand, context);
    return (scope) => {
      const wanted = new FirstValues(name, countOf(n(scope)));
      const array = input(scope);
      if (!Array.isArray(array))
        throw new MongoError(5788200, `Input must be an array, found ${typeText(array)}`);
      for (const value of array) wanted.add(value);
      return wanted.result();
    };
  };
}

export const accumulatingOperators: OperatorTable = {
  $sum: overValues((values) => summed(values).sum()),
  $avg: overValues((values) => summed(values).average()),
  $min: overValues(extreme(-1)),
  $max: overValues(extreme(1)),
  $stdDevPop: overValues(accumulated('$stdDevPop')),
  $stdDevSamp: overValues(accumulated('$stdDevSamp')),
  $firstN: firstValues('$firstN'),
  $lastN: firstValues('$lastN'),
  $maxN: firstValues('$maxN'),
  $minN: firstValues('$minN'),
};
