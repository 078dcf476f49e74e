import { isNumber, type Value } from '../../bson/values.js';
import { expressions, isAbsent, type Maybe } from '../arguments.js';
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

export const accumulatingOperators: OperatorTable = {
  $sum: overValues((values) => summed(values).sum()),
  $avg: overValues((values) => summed(values).average()),
  $min: overValues(extreme(-1)),
  $max: overValues(extreme(1)),
};
