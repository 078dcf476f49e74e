import { Int32 } from 'bson';
import { valuesEqual } from '../../bson/compare.js';
import { isNumber, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { exactInteger } from '../../query/numbers.js';
import { compileElementSort } from '../../element-sort.js';
import { SORT_ARRAY } from '../argument-codes.js';
import { fixed, isAbsent, type Maybe, namedArguments, ranged, typeText, variadic } from '../arguments.js';
import type { CompileContext, Expr, OperatorTable } from '../scope.js';
import { compareMaybe } from './logic.js';

const MAX_RANGE = 1_000_000;

function int32Of(v: Maybe, code: number, message: string): number {
  const number = exactInteger(v);
  if (number === undefined || number < -0x80000000n || number > 0x7fffffffn) {
    throw new MongoError(code, `${message}${typeText(v)}`);
  }
  return Number(number);
}

function size(value: Maybe): Maybe {
  if (!Array.isArray(value)) {
    throw new MongoError(
      17124,
      `The argument to $size must be an array, but was of type: ${typeText(value)}`,
    );
  }
  return new Int32(value.length);
}

function arrayElemAt(array: Maybe, index: Maybe): Maybe {
  if (isAbsent(array) || isAbsent(index)) return null;
  if (!Array.isArray(array)) {
    throw new MongoError(28689, `$arrayElemAt's first argument must be an array, but is ${typeText(array)}`);
  }
  if (!isNumber(index)) {
    throw new MongoError(
      28690,
      `$arrayElemAt's second argument must be a numeric value, but is ${typeText(index)}`,
    );
  }
  const at = int32Of(
    index,
    28691,
    "$arrayElemAt's second argument must be representable as a 32-bit integer: ",
  );
  return array.at(at);
}

function endOf(name: string, at: 0 | -1) {
  return fixed(name, 1, (array) => {
    if (isAbsent(array)) return null;
    if (!Array.isArray(array)) {
      throw new MongoError(28689, `${name}'s argument must be an array, but is ${typeText(array)}`);
    }
    return array.at(at);
  });
}

function concatArrays(arrays: readonly Maybe[]): Maybe {
  const result: Value[] = [];
  for (const array of arrays) {
    if (isAbsent(array)) return null;
    if (!Array.isArray(array))
      throw new MongoError(28664, `$concatArrays only supports arrays, not ${typeText(array)}`);
    result.push(...array);
  }
  return result;
}

function slice([array, first, second]: Maybe[], hasThird: boolean): Maybe {
  if (isAbsent(array) || isAbsent(first) || (hasThird && isAbsent(second))) return null;
  if (!Array.isArray(array)) {
    throw new MongoError(
      28724,
      `First argument to $slice must be an array, but is of type: ${typeText(array)}`,
    );
  }
  const start = int32Of(first, 28725, 'Second argument to $slice must be a numeric value, but is of type: ');
  if (!hasThird) return start < 0 ? array.slice(start) : array.slice(0, start);
  const count = int32Of(second, 28727, 'Third argument to $slice must be numeric, but is of type: ');
  if (count <= 0) throw new MongoError(28729, `Third argument to $slice must be positive: ${count}`);
  const from = start < 0 ? Math.max(0, array.length + start) : start;
  return array.slice(from, from + count);
}

function contains(value: Maybe, array: Maybe): Maybe {
  if (!Array.isArray(array)) {
    throw new MongoError(40081, `$in requires an array as a second argument, found: ${typeText(array)}`);
  }
  return value !== undefined && array.some((element) => valuesEqual(element, value));
}

function indexOfArray([array, value, start, end]: Maybe[]): Maybe {
  if (isAbsent(array)) return null;
  if (!Array.isArray(array)) {
    throw new MongoError(
      40090,
      `$indexOfArray requires an array as a first argument, found: ${typeText(array)}`,
    );
  }
  const from = start === undefined ? 0 : arrayBound(start);
  const to = end === undefined ? array.length : Math.min(array.length, arrayBound(end));
  const at = array.findIndex((element, i) => i >= from && i < to && compareMaybe(element, value) === 0);
  return new Int32(at);
}

function arrayBound(v: Maybe): number {
  const index = int32Of(v, 40096, '$indexOfArray requires an integral index, found a value of type: ');
  if (index < 0) throw new MongoError(40097, `$indexOfArray requires a nonnegative index, found: ${index}`);
  return index;
}

function reverseArray(array: Maybe): Maybe {
  if (isAbsent(array)) return null;
  if (Array.isArray(array)) return array.toReversed();
  throw new MongoError(
    34435,
    `The argument to $reverseArray must be an array, but was of type: ${typeText(array)}`,
  );
}

function range([start, end, step]: Maybe[]): Maybe {
  const from = rangePart(start, 34443, 'starting');
  const to = rangePart(end, 34445, 'ending');
  const by = step === undefined ? 1 : rangePart(step, 34447, 'step');
  if (by === 0) throw new MongoError(34449, '$range requires a non-zero step value');
  const count = Math.max(0, Math.ceil((to - from) / by));
  if (count > MAX_RANGE) throw new MongoError(292, `$range may give at most ${MAX_RANGE} elements here`);
  return Array.from({ length: count }, (_, i) => new Int32(from + i * by));
}

/** Throws `code` for what is no number and the next one for a number that is no 32-bit integer. */
function rangePart(v: Maybe, code: number, role: string): number {
  if (!isNumber(v))
    throw new MongoError(
      code,
      `$range requires a numeric ${role} value, found value of type: ${typeText(v)}`,
    );
  return int32Of(
    v,
    code + 1,
    `$range requires a ${role} value that can be represented as a 32-bit integer: `,
  );
}

/** Its `sortBy` is no expression but a sort specification, or 1 or -1 for whole elements. */
function sortArray(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$sortArray', operand, SORT_ARRAY, ['input', 'sortBy']);
  const input = context.compile(fields.get('input') ?? null);
  const order = elementOrder(fields.get('sortBy') ?? null);
  return (scope) => {
    const array = input(scope);
    if (isAbsent(array)) return null;
    if (Array.isArray(array)) return array.toSorted(order);
    throw new MongoError(
      2942504,
      `The input argument to $sortArray must be an array, but was of type: ${typeText(array)}`,
    );
  };
}

function elementOrder(sortBy: Value): (a: Value, b: Value) => number {
  if (sortBy instanceof Map) {
    return compileElementSort(sortBy);
  }
  const direction = exactInteger(sortBy);
  if (direction !== 1n && direction !== -1n) {
    throw new MongoError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  return (a, b) => compareMaybe(a, b) * Number(direction);
}

export const arrayOperators: OperatorTable = {
  $size: fixed('$size', 1, size),
  $isArray: fixed('$isArray', 1, (value) => Array.isArray(value)),
  $arrayElemAt: fixed('$arrayElemAt', 2, arrayElemAt),
  $first: endOf('$first', 0),
  $last: endOf('$last', -1),
  $concatArrays: variadic(concatArrays),
  $slice: (operand, context) => {
    const hasThird = Array.isArray(operand) && operand.length === 3;
    return ranged('$slice', 2, 3, (values) => slice(values, hasThird))(operand, context);
  },
  $in: fixed('$in', 2, contains),
  $indexOfArray: ranged('$indexOfArray', 2, 4, indexOfArray),
  $reverseArray: fixed('$reverseArray', 1, reverseArray),
  $range: ranged('$range', 2, 3, range),
  $sortArray: sortArray,
};
