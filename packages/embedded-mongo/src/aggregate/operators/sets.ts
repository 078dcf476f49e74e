import { compareValues } from '../../bson/compare.js';
import { ValueSet } from '../../bson/value-set.js';
import type { Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { isTrue } from '../../query/numbers.js';
import { fixed, isAbsent, type Maybe, ranged, typeText, variadic } from '../arguments.js';
import type { OperatorTable } from '../scope.js';

function requireArray(v: Maybe, code: number, message: string): Value[] {
  if (Array.isArray(v)) return v;
  throw new MongoError(code, `${message}${typeText(v)}`);
}

/** The distinct elements in BSON order; MongoDB leaves the order of sets open. */
export function distinct(elements: readonly Value[]): Value[] {
  const sorted = elements.toSorted(compareValues);
  return sorted.filter((element, i) => i === 0 || compareValues(sorted[i - 1] ?? null, element) !== 0);
}

function union(arrays: readonly Maybe[]): Maybe {
  if (arrays.some(isAbsent)) return null;
  return distinct(
    arrays.flatMap((array) =>
      requireArray(array, 17043, 'All operands of $setUnion must be arrays. One argument is of type: '),
    ),
  );
}

function intersection(arrays: readonly Maybe[]): Maybe {
  if (arrays.some(isAbsent)) return null;
  const sets = arrays.map((array) =>
    requireArray(array, 17047, 'All operands of $setIntersection must be arrays. One argument is of type: '),
  );
  const [first = []] = sets;
  const others = sets.slice(1).map((set) => new ValueSet(set));
  return distinct(first.filter((element) => others.every((set) => set.has(element))));
}

function difference(a: Maybe, b: Maybe): Maybe {
  if (isAbsent(a) || isAbsent(b)) return null;
  const left = requireArray(
    a,
    17048,
    'both operands of $setDifference must be arrays. First argument is of type: ',
  );
  const right = requireArray(
    b,
    17049,
    'both operands of $setDifference must be arrays. Second argument is of type: ',
  );
  const excluded = new ValueSet(right);
  return new ValueSet(left.filter((element) => !excluded.has(element))).values;
}

function equalSets(arrays: readonly Maybe[]): Maybe {
  const sets = arrays.map((array) =>
    distinct(
      requireArray(array, 17044, 'All operands of $setEquals must be arrays. One argument is of type: '),
    ),
  );
  const [first = [], ...others] = sets;
  return others.every((set) => compareValues(set, first) === 0);
}

function subset(a: Maybe, b: Maybe): Maybe {
  const left = requireArray(
    a,
    17046,
    'both operands of $setIsSubset must be arrays. First argument is of type: ',
  );
  const right = requireArray(
    b,
    17042,
    'both operands of $setIsSubset must be arrays. Second argument is of type: ',
  );
  const all = new ValueSet(right);
  return left.every((element) => all.has(element));
}

export const setOperators: OperatorTable = {
  $setUnion: variadic(union),
  $setIntersection: variadic(intersection),
  $setDifference: fixed('$setDifference', 2, difference),
  $setEquals: ranged('$setEquals', 2, Infinity, equalSets),
  $setIsSubset: fixed('$setIsSubset', 2, subset),
  $anyElementTrue: fixed('$anyElementTrue', 1, (array) =>
    requireArray(array, 17041, "$anyElementTrue's argument must be an array, but is ").some((element) =>
      isTrue(element),
    ),
  ),
  $allElementsTrue: fixed('$allElementsTrue', 1, (array) =>
    requireArray(array, 17040, "$allElementsTrue's argument must be an array, but is ").every((element) =>
      isTrue(element),
    ),
  ),
};
