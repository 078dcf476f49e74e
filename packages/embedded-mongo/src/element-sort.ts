import { compareValues } from './bson/compare.js';
import type { Doc, Value } from './bson/values.js';
import { arrayIndex } from './path.js';
import { parseSort } from './sort.js';

/**
 * The order of array elements by their fields, for `$push`'s `$sort` and `$sortArray`. Other than in the sort of documents
 * an array counts as one value and is not gone through: below it, a path only finds elements by their index.
 */
export function compileElementSort(spec: Doc): (a: Value, b: Value) => number {
  const fields = parseSort(spec);
  return (a, b) => {
    for (const { path, direction } of fields) {
      const order = compareValues(valueIn(a, path), valueIn(b, path));
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}

function valueIn(element: Value, path: string): Value {
  return (element instanceof Map ? extract(element, path) : undefined) ?? null;
}

/** A field of exactly that name goes before the path. */
function extract(value: Value | undefined, path: string): Value | undefined {
  const found = childOf(value, path);
  const dot = path.indexOf('.');
  if (found !== undefined || dot < 0) return found;
  return extract(childOf(value, path.slice(0, dot)), path.slice(dot + 1));
}

function childOf(value: Value | undefined, name: string): Value | undefined {
  if (value instanceof Map) return value.get(name);
  return Array.isArray(value) ? value[arrayIndex(name)] : undefined;
}
