import { isDoc, UNDEFINED, type Doc, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';

/** A field's value; undefined when there is no such field. */
export type KeyPart = Value | undefined;

/** A field of the key on its way down into the document. */
interface Slot {
  readonly node: KeyPart;
  readonly rest: readonly string[];
}

export interface KeyValues {
  /** One row for each index entry of the document, one value for each field of the index. */
  readonly rows: KeyPart[][];
  /** Bit i is set when field i went through an array. */
  readonly multikey: number;
}

/**
 * The values that a document has for an index's fields. An array on the way gives one row per element; fields below the same
 * array are taken from the same element. Throws CannotIndexParallelArrays when two fields lead through different arrays.
 */
export function keyValues(doc: Doc, paths: readonly (readonly string[])[]): KeyValues {
  const rows: KeyPart[][] = [];
  const state = { rows, multikey: 0 };
  expand(
    paths.map((path) => ({ node: doc, rest: path })),
    state,
  );
  return state;
}

function expand(slots: Slot[], state: { rows: KeyPart[][]; multikey: number }): void {
  const reached = slots.map(descend);
  const array = sharedArray(reached);
  if (!array) {
    state.rows.push(reached.map((slot) => slot.node));
    return;
  }
  for (const [index, slot] of reached.entries()) {
    if (slot.node === array) state.multikey |= 1 << index;
  }
  const elements: readonly KeyPart[] = array.length > 0 ? array : [UNDEFINED];
  for (const element of elements) {
    expand(
      reached.map((slot) => (slot.node === array ? elementSlot(slot, element) : slot)),
      state,
    );
  }
}

const DONE: readonly string[] = [];
/** Marks an array that was itself an element and is a value now: it is not expanded a second time. */
const AS_VALUE: readonly string[] = [''];

function descend(slot: Slot): Slot {
  let { node, rest } = slot;
  while (rest !== AS_VALUE && rest.length > 0) {
    const [name = ''] = rest;
    if (Array.isArray(node)) {
      const element = arrayElement(node, name);
      if (element === undefined) return { node, rest };
      node = element;
    } else {
      node = isDoc(node) ? node.get(name) : undefined;
    }
    rest = rest.slice(1);
    if (node === undefined) return { node, rest: DONE };
  }
  return { node, rest };
}

function elementSlot(slot: Slot, element: KeyPart): Slot {
  if (slot.rest.length === 0) return { node: element, rest: AS_VALUE };
  return isDoc(element) ? { node: element, rest: slot.rest } : { node: undefined, rest: DONE };
}

function sharedArray(slots: readonly Slot[]): readonly Value[] | undefined {
  let shared: readonly Value[] | undefined;
  for (const { node, rest } of slots) {
    if (rest === AS_VALUE || !Array.isArray(node) || node === shared) continue;
    if (shared) throw new MongoError(171, 'cannot index parallel arrays');
    shared = node;
  }
  return shared;
}

function arrayElement(array: readonly Value[], name: string): KeyPart {
  return /^(0|[1-9]\d*)$/.test(name) ? array[Number(name)] : undefined;
}
