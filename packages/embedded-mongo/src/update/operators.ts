import { bit, inc, mul } from './arithmetic.js';
import { addToSet, push } from './array-add.js';
import { pop, pull, pullAll } from './array-remove.js';
import { currentDate, max, min, set, setOnInsert, unset } from './fields.js';
import type { LeafParser } from './leaf.js';

/** The update operators that change the field they name; `$rename`, which changes two, stands apart. */
export const updateOperators: ReadonlyMap<string, LeafParser> = new Map<string, LeafParser>([
  ['$set', set],
  ['$setOnInsert', setOnInsert],
  ['$unset', unset],
  ['$inc', inc],
  ['$mul', mul],
  ['$min', min],
  ['$max', max],
  ['$currentDate', currentDate],
  ['$bit', bit],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$pull', pull],
  ['$pullAll', pullAll],
  ['$pop', pop],
]);
