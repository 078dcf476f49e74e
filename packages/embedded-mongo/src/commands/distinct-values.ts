import { isDoc, type Doc, type Value } from '../bson/values.js';
import { compareValues } from '../bson/compare.js';
import type { TextOrder } from '../query/collation.js';
import { encodeValue } from '../index/value-key.js';

/** The different values at a path, arrays unwound once as `distinct` does, each in the type it was first seen in. */
export function distinctValues(docs: Iterable<Doc>, path: string, text?: TextOrder): Value[] {
  if (text) return distinctUnder(docs, path, text);
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

/** Of values that a collation does not tell apart the first one, in the order in which they were first seen. */
function distinctUnder(docs: Iterable<Doc>, path: string, text: TextOrder): Value[] {
  const all: { value: Value; position: number }[] = [];
  const parts = path.split('.');
  for (const doc of docs) for (const value of valuesAt(doc, parts)) all.push({ value, position: all.length });
  const sorted = all.toSorted((a, b) => compareValues(a.value, b.value, text));
  return sorted
    .filter(({ value }, i) => i === 0 || compareValues(sorted[i - 1]?.value ?? null, value, text) !== 0)
    .toSorted((a, b) => a.position - b.position)
    .map(({ value }) => value);
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
