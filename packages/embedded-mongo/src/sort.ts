import { compareValues } from './bson/compare.js';
import { display } from './bson/display.js';
import { isNumber, type Doc, type Value } from './bson/values.js';
import { badValue, ErrorCode, MongoError } from './errors.js';
import { keyValues } from './index/paths.js';
import type { TextOrder } from './query/collation.js';
import { toDouble } from './query/numbers.js';

const MAX_SORT_FIELDS = 32;

export interface SortField {
  readonly path: string;
  readonly parts: readonly string[];
  readonly direction: 1 | -1;
}

/** The fields of a sort specification. Throws 15974 and 15975 for other directions than 1 and -1, NotImplemented (238) for `$meta`. */
export function parseSort(spec: Doc): SortField[] {
  if (spec.size > MAX_SORT_FIELDS)
    throw badValue(`too many compound keys: a sort may have at most ${MAX_SORT_FIELDS}`);
  return [...spec].map(([path, value]) => ({
    path: checkedPath(path),
    parts: path.split('.'),
    direction: direction(path, value),
  }));
}

function checkedPath(path: string): string {
  if (path === '') throw new MongoError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw new MongoError(40353, "FieldPath must not end with a '.'.");
  if (path.split('.').includes(''))
    throw new MongoError(15998, 'FieldPath field names may not be empty strings.');
  if (path.startsWith('$')) {
    throw new MongoError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    );
  }
  return path;
}

function direction(path: string, value: Value): 1 | -1 {
  if (value instanceof Map) {
    if (value.has('$meta'))
      throw new MongoError(ErrorCode.NotImplemented, 'sorting by $meta is not supported');
    throw new MongoError(17312, '$meta is the only expression supported by $sort right now');
  }
  if (!isNumber(value))
    throw new MongoError(15974, `Illegal key in $sort specification: ${path}: ${display(value)}`);
  const number = toDouble(value);
  if (number !== 1 && number !== -1) {
    throw new MongoError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  return number;
}

export interface SortOrder {
  (a: Doc, b: Doc): number;
  /** Works out a document's key when it enters the sort. Throws BadValue (2) where two fields lead through different arrays. */
  enter(doc: Doc): void;
}

/**
 * The order of documents under a sort: missing counts as null, an array by its smallest element when ascending and by
 * its largest when descending. Each document's sort key is worked out once per comparator.
 */
export function compileSort(spec: Doc, text?: TextOrder): SortOrder {
  const fields = parseSort(spec);
  if (fields.length === 0) return Object.assign(() => 0, { enter: () => undefined });
  const keys = new WeakMap<Doc, readonly Value[]>();
  const keyOf = (doc: Doc): readonly Value[] => {
    const known = keys.get(doc);
    if (known) return known;
    const key = sortKey(doc, fields, text);
    keys.set(doc, key);
    return key;
  };
  return Object.assign((a: Doc, b: Doc) => compareKeys(keyOf(a), keyOf(b), fields, text), {
    enter: (doc: Doc) => void keyOf(doc),
  });
}

function compareKeys(
  a: readonly Value[],
  b: readonly Value[],
  fields: readonly SortField[],
  text?: TextOrder,
): number {
  for (const [i, field] of fields.entries()) {
    const order = compareValues(a[i] ?? null, b[i] ?? null, text);
    if (order !== 0) return order * field.direction;
  }
  return 0;
}

function sortKey(doc: Doc, fields: readonly SortField[], text?: TextOrder): readonly Value[] {
  const keys = sortableKeys(
    doc,
    fields.map((field) => field.parts),
  );
  let [best = []] = keys;
  for (const key of keys) if (compareKeys(key, best, fields, text) < 0) best = key;
  return best;
}

function sortableKeys(doc: Doc, paths: readonly (readonly string[])[]): Value[][] {
  try {
    return keyValues(doc, paths).rows.map((row) => row.map((part) => part ?? null));
  } catch (error) {
    if (error instanceof MongoError && error.code === ErrorCode.CannotIndexParallelArrays) {
      throw badValue('cannot sort with keys that are parallel arrays');
    }
    throw error;
  }
}
