import { isDoc, type Doc, type Value } from '../bson/values.js';
import { encodeValue } from '../index/value-key.js';

/** The different values at a path, arrays unwound once as `distinct` does, each in the type it was first seen in. */
export function distinctValues(docs: Iterable<Doc>, path: string): Value[] {
  const found = new Map<string, Value>();
  const parts = path.split('.');
  for (const doc of docs) {
    for (const value of valuesAt(doc, parts)) {
      const key = encodeValue(value).toString('latin1');
      if (!found.has(key)) found.set(key, value);
    }
  }
  return [...found.values()];
}

function* valuesAt(value: Value, parts: readonly string[]): Generator<Value> {
  const [name, ...rest] = parts;
  if (name === undefined) {
    if (Array.isArray(value)) yield* value;
    else yield value;
  } else if (isDoc(value)) {
    const field = value.get(name);
    if (field !== undefined) yield* valuesAt(field, rest);
  } else if (Array.isArray(value)) {
    const element = /^\d+$/.test(name) ? value[Number(name)] : undefined;
    if (element !== undefined) yield* valuesAt(element, rest);
    else for (const item of value) if (isDoc(item)) yield* valuesAt(item, parts);
  }
}
