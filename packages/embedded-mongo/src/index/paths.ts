import { isDoc, UNDEFINED, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { arrayIndex } from '../path.js';

/** A field's value; undefined when there is no such field. */
export type KeyPart = Value | undefined;

export interface KeyValues {
  /** One row for each index entry of the document, one value for each field of the index. */
  readonly rows: KeyPart[][];
  /** Bit i is set when field i went through the elements of an array. */
  readonly multikey: number;
}

/** A field of the key that is worked out. */
interface Fixed {
  readonly value: KeyPart;
}

/** A field that leads to an array; `rest` of its path is to be found in the elements. */
interface AtArray {
  readonly array: Value[];
  readonly rest: readonly string[];
  /** The path named this array by its index in another: it is a value and its elements are not. */
  readonly whole: boolean;
}

/** A field on its way down from a document or from an array's element. */
interface Pending {
  readonly node: KeyPart;
  readonly rest: readonly string[];
  /** Where the element leads that the path names by its index in the array being gone through. */
  readonly named: Fixed | AtArray | undefined;
}

type Slot = Fixed | Pending;

/**
 * The values that a document has for an index's fields. An array on the way gives one row per element; fields below the same
 * array are taken from the same element, but an element that the path names by its index is the same for all. The same row
 * may come more than once. Throws CannotIndexParallelArrays (171) when two fields lead through different arrays, and 16746
 * when a numeric part of a path could mean both an element and a field.
 */
export function keyValues(doc: Doc, paths: readonly (readonly string[])[]): KeyValues {
  const rows: KeyPart[][] = [];
  const state = { rows, multikey: 0 };
  expand(
    paths.map((path) => ({ node: doc, rest: path, named: undefined })),
    state,
  );
  return state;
}

function expand(slots: readonly Slot[], state: { rows: KeyPart[][]; multikey: number }): void {
  const reached = slots.map(advance);
  const array = sharedArray(reached);
  if (!array) {
    state.rows.push(reached.map((slot) => ('value' in slot ? slot.value : undefined)));
    return;
  }
  const named = reached.map((slot) => ('array' in slot ? namedElement(slot) : undefined));
  for (const [index, slot] of reached.entries()) {
    if ('array' in slot && !slot.whole && !named[index]) state.multikey |= 1 << index;
  }
  const elements: readonly Value[] = array.length > 0 ? array : [UNDEFINED];
  for (const element of elements) {
    expand(
      reached.map((slot, index) => ('value' in slot ? slot : intoElement(slot, element, named[index]))),
      state,
    );
  }
}

function advance(slot: Slot): Fixed | AtArray {
  if ('value' in slot) return slot;
  const { node, rest, named } = slot;
  if (!named) return lead(node, rest);
  const [part = ''] = rest;
  if (isDoc(node) && node.has(part)) {
    throw new MongoError(
      16746,
      `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${part}'`,
    );
  }
  return named;
}

/** Down through documents to the end of the path or to the first array. */
function lead(from: KeyPart, path: readonly string[]): Fixed | AtArray {
  let node = from;
  for (const [position, part] of path.entries()) {
    node = isDoc(node) ? node.get(part) : undefined;
    if (Array.isArray(node)) return { array: node, rest: path.slice(position + 1), whole: false };
    if (node === undefined) break;
  }
  return { value: node };
}

function namedElement({ array, rest }: AtArray): Fixed | AtArray | undefined {
  const [part = '', ...below] = rest;
  const element = array[arrayIndex(part)];
  if (element === undefined) return undefined;
  if (Array.isArray(element)) return { array: element, rest: below, whole: below.length === 0 };
  return lead(element, below);
}

function intoElement(slot: AtArray, element: Value, named: Pending['named']): Slot {
  if (slot.rest.length > 0) return { node: element, rest: slot.rest, named };
  return { value: slot.whole && slot.array.length > 0 ? slot.array : element };
}

function sharedArray(slots: readonly (Fixed | AtArray)[]): readonly Value[] | undefined {
  let shared: readonly Value[] | undefined;
  for (const slot of slots) {
    if (!('array' in slot) || slot.array === shared) continue;
    if (shared) throw new MongoError(ErrorCode.CannotIndexParallelArrays, 'cannot index parallel arrays');
    shared = slot.array;
  }
  return shared;
}
