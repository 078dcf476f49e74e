import type { Doc, Value } from './bson/values.js';

/** A dotted path taken apart. `indexes` holds, for each part, the array index that it spells, or -1. */
export interface Path {
  readonly text: string;
  readonly parts: readonly string[];
  readonly indexes: readonly number[];
}

/**
 * Called with each value that a path leads to (undefined: the field is missing there) and the index within the
 * outermost array that was gone through without an index in the path. Returning true ends the visit.
 */
export type Visit = (value: Value | undefined, position: number | undefined) => boolean;

export function parsePath(text: string): Path {
  const parts = text.split('.');
  return { text, parts, indexes: parts.map(arrayIndex) };
}

/** The array index that a field name spells: "0", "17", but not "01". Otherwise -1. */
export function arrayIndex(name: string): number {
  return /^(?:0|[1-9]\d{0,8})$/.test(name) ? Number(name) : -1;
}

/**
 * Visits what a query means by a path: arrays on the way stand for each of their documents, and for the element that a
 * numeric part names. An array at the end stands, with `expandLeaf`, for each element and then for itself.
 * Returns whether a visit returned true.
 */
export function visitPath(doc: Doc, path: Path, expandLeaf: boolean, visit: Visit): boolean {
  return visitDoc(doc, path, 0, expandLeaf, undefined, visit);
}

function visitDoc(
  doc: Doc,
  path: Path,
  from: number,
  expandLeaf: boolean,
  outer: number | undefined,
  visit: Visit,
): boolean {
  let current: Doc = doc;
  for (let i = from; i < path.parts.length; i++) {
    const value = current.get(path.parts[i] ?? '');
    if (Array.isArray(value)) return visitArray(value, path, i + 1, expandLeaf, outer, visit);
    if (i === path.parts.length - 1) return visit(value, outer);
    if (!(value instanceof Map)) return visit(undefined, outer);
    current = value;
  }
  return false;
}

function visitArray(
  array: Value[],
  path: Path,
  from: number,
  expandLeaf: boolean,
  outer: number | undefined,
  visit: Visit,
): boolean {
  if (from === path.parts.length) return visitLeaf(array, expandLeaf, outer, visit);
  const named = path.indexes[from];
  for (const [i, element] of array.entries()) {
    if (element instanceof Map && visitDoc(element, path, from, expandLeaf, outer ?? i, visit)) return true;
    if (named === i && visitNamed(element, path, from + 1, expandLeaf, outer, visit)) return true;
  }
  return false;
}

/** The array element that the path names by its index. An array there is not expanded when the path ends. */
function visitNamed(
  element: Value,
  path: Path,
  from: number,
  expandLeaf: boolean,
  outer: number | undefined,
  visit: Visit,
): boolean {
  if (from === path.parts.length) return visit(element, outer);
  if (element instanceof Map) return visitDoc(element, path, from, expandLeaf, outer, visit);
  return Array.isArray(element) && visitArray(element, path, from, expandLeaf, outer, visit);
}

function visitLeaf(array: Value[], expandLeaf: boolean, outer: number | undefined, visit: Visit): boolean {
  if (expandLeaf) {
    for (const [i, element] of array.entries()) if (visit(element, outer ?? i)) return true;
  }
  return visit(array, outer);
}

/** The value at a path through documents only; undefined where an array or a scalar is in the way. */
export function valueAt(doc: Doc, path: Path): Value | undefined {
  let current: Value | undefined = doc;
  for (const part of path.parts) {
    if (!(current instanceof Map)) return undefined;
    current = current.get(part);
  }
  return current;
}
