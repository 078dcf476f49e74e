import { compareValues } from '../bson/compare.js';
import { display } from '../bson/display.js';
import { type Doc, typeName, type Value } from '../bson/values.js';
import { ValueSet } from '../bson/value-set.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { exactInteger } from '../query/numbers.js';
import { compileElementSort } from '../element-sort.js';
import { idText, lastPart, type LeafContext, type LeafOp } from './leaf.js';

interface PushOptions {
  readonly values: readonly Value[];
  readonly slice?: number | undefined;
  readonly position?: number | undefined;
  readonly order?: ((a: Value, b: Value) => number) | undefined;
}

const PUSH_CLAUSES = new Set(['$each', '$slice', '$sort', '$position']);

/** `$push: { field: value }` or `{ $each, $position, $sort, $slice }`, applied in this order. */
export function push(_path: string, operand: Value): LeafOp {
  const options = pushOptions(operand);
  return {
    blocked: 'create',
    apply: (current, context) => {
      const array = arrayOf(current, context);
      const result = pushed(array, options);
      return current !== undefined && sameElements(array, result) ? current : result;
    },
  };
}

function arrayOf(current: Value | undefined, context: LeafContext): Value[] {
  if (current === undefined) return [];
  if (Array.isArray(current)) return current;
  throw badValue(
    `The field '${context.path}' must be an array but is of type ${typeName(current)} in document ${idText(context.root)}`,
  );
}

function pushOptions(operand: Value): PushOptions {
  if (!(operand instanceof Map) || !operand.has('$each')) return { values: [operand] };
  for (const clause of operand.keys()) {
    if (!PUSH_CLAUSES.has(clause)) throw badValue(`Unrecognized clause in $push: ${clause}`);
  }
  const each = operand.get('$each') ?? null;
  if (!Array.isArray(each)) {
    throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(each)}`);
  }
  return {
    values: each,
    slice: integerClause(
      operand,
      '$slice',
      'The value for $slice must be an integer value but was given type:',
    ),
    position: integerClause(
      operand,
      '$position',
      'The value for $position must be an integer value, not of type:',
    ),
    order: sortClause(operand.get('$sort')),
  };
}

function integerClause(operand: Doc, name: string, message: string): number | undefined {
  const value = operand.get(name);
  if (value === undefined) return undefined;
  const number = exactInteger(value);
  if (number === undefined) throw badValue(`${message} ${typeName(value)}`);
  return Math.max(-0x7fffffff, Math.min(0x7fffffff, Number(number)));
}

function sortClause(spec: Value | undefined): PushOptions['order'] {
  if (spec === undefined) return undefined;
  if (!(spec instanceof Map)) {
    const direction = exactInteger(spec);
    if (direction !== 1n && direction !== -1n) throw invalidSort();
    return (a, b) => compareValues(a, b) * Number(direction);
  }
  if (spec.size === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.');
  for (const [path, value] of spec) checkSortField(path, value);
  return compileElementSort(spec);
}

function checkSortField(path: string, value: Value): void {
  const direction = exactInteger(value);
  if (direction !== 1n && direction !== -1n) throw badValue('The $sort element value must be either 1 or -1');
  if (path === '') throw badValue('The $sort field cannot be empty');
  if (path.split('.').includes(''))
    throw badValue(`The $sort field is a dotted field but has an empty part: ${path}`);
}

function invalidSort(): MongoError {
  return badValue(
    'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
  );
}

function pushed(array: readonly Value[], options: PushOptions): Value[] {
  const at = insertAt(array.length, options.position);
  const result = [...array.slice(0, at), ...options.values, ...array.slice(at)];
  if (options.order) result.sort(options.order);
  if (options.slice === undefined) return result;
  return options.slice < 0 ? result.slice(options.slice) : result.slice(0, options.slice);
}

function insertAt(length: number, position: number | undefined): number {
  if (position === undefined || position >= length) return length;
  return position < 0 ? Math.max(0, length + position) : position;
}

function sameElements(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((element, i) => element === b[i]);
}

/** `$addToSet: { field: value }` or `{ $each: [...] }`: appends what no element equals. */
export function addToSet(_path: string, operand: Value): LeafOp {
  const values = setValues(operand);
  return {
    blocked: 'create',
    apply: (current, context) => {
      if (current !== undefined && !Array.isArray(current)) throw notASet(current, context);
      const present = new ValueSet(current ?? []);
      const added = values.filter((value) => present.add(value));
      return current !== undefined && added.length === 0 ? current : [...(current ?? []), ...added];
    },
  };
}

function setValues(operand: Value): readonly Value[] {
  if (!(operand instanceof Map) || operand.keys().next().value !== '$each') return [operand];
  const each = operand.get('$each') ?? null;
  if (!Array.isArray(each)) {
    throw new MongoError(
      ErrorCode.TypeMismatch,
      `The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`,
    );
  }
  if (operand.size > 1)
    throw badValue(`Found unexpected fields after $each in $addToSet: ${display(operand)}`);
  return each;
}

function notASet(current: Value, context: LeafContext): MongoError {
  return badValue(
    `Cannot apply $addToSet to non-array field. Field named '${lastPart(context.path)}' has non-array type ${typeName(current)}`,
  );
}
