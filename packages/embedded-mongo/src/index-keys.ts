import { UNDEFINED, type Doc, type Value } from './bson/values.js';
import { ErrorCode, MongoError } from './errors.js';
import { arrayIndex } from './path.js';

/** One field of the key while it is worked out: its value, or where in its path the current document stands. */
type Slot = { readonly value: Value } | { readonly next: number };
type ArraySlot = { readonly array: Value[]; readonly next: number };

/**
 * All keys of a document for an index over `paths` (dotted), as MongoDB generates them: an array gives a key for each
 * element, an empty array gives BSON undefined, a missing field null. Fields below the same array stay together.
 * The same key may come more than once.
 * Throws CannotIndexParallelArrays (171) when two fields lead through different arrays, and 16746 when a numeric part
 * of a path could mean both an element and a field.
 */
export function indexKeys(doc: Doc, paths: readonly string[]): Value[][] {
  const parts = paths.map((path) => path.split('.'));
  const keys: Value[][] = [];
  addKeys(
    doc,
    parts,
    parts.map(() => ({ next: 0 })),
    keys,
  );
  return keys;
}

function addKeys(doc: Doc, paths: readonly string[][], slots: readonly Slot[], keys: Value[][]): void {
  const found = slots.map((slot, i) => ('value' in slot ? slot : walk(doc, paths[i] ?? [], slot.next)));
  const arrays = found.filter((slot): slot is ArraySlot => 'array' in slot);
  const [first] = arrays;
  if (first === undefined) {
    keys.push(found.map((slot) => ('value' in slot ? slot.value : null)));
    return;
  }
  if (arrays.some((slot) => slot.array !== first.array)) throw parallelArrays(paths, found);
  if (first.array.length === 0) {
    keys.push(found.map((slot, i) => ('value' in slot ? slot.value : emptyKey(slot, paths[i] ?? []))));
    return;
  }
  for (const element of first.array) addKeysOfElement(element, paths, found, keys);
}

function addKeysOfElement(
  element: Value,
  paths: readonly string[][],
  found: readonly ({ readonly value: Value } | ArraySlot)[],
  keys: Value[][],
): void {
  const isDoc = element instanceof Map;
  const slots = found.map((slot, i): Slot => {
    if ('value' in slot) return slot;
    if (slot.next === paths[i]?.length) return { value: element };
    return isDoc ? { next: slot.next } : { value: null };
  });
  addKeys(isDoc ? element : new Map(), paths, slots, keys);
}

function emptyKey(slot: ArraySlot, path: readonly string[]): Value {
  return slot.next === path.length ? UNDEFINED : null;
}

/** Goes down from `doc` to the end of the path or to the first array whose elements must be gone through. */
function walk(doc: Doc, path: readonly string[], from: number): { readonly value: Value } | ArraySlot {
  let current: Value = doc;
  for (let i = from; i < path.length; i++) {
    const part = path[i] ?? '';
    let child: Value | undefined;
    if (current instanceof Map) {
      child = current.get(part);
    } else if (Array.isArray(current)) {
      child = namedElement(current, part);
      if (child === undefined) return { array: current, next: i };
    }
    if (child === undefined) return { value: null };
    current = child;
  }
  return Array.isArray(current) ? { array: current, next: path.length } : { value: current };
}

function namedElement(array: readonly Value[], part: string): Value | undefined {
  const index = arrayIndex(part);
  if (index < 0 || index >= array.length) return undefined;
  if (array.some((element) => element instanceof Map && element.has(part))) {
    throw new MongoError(
      16746,
      `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${part}'`,
    );
  }
  return array[index];
}

function parallelArrays(paths: readonly string[][], found: readonly object[]): MongoError {
  const names = paths.filter((_, i) => 'array' in (found[i] ?? {})).map((path) => `[${path.join('.')}]`);
  return new MongoError(
    ErrorCode.CannotIndexParallelArrays,
    `cannot index parallel arrays ${names.toReversed().slice(0, 2).join(' ')}`,
  );
}
