import { display } from '../bson/display.js';
import type { Doc, Value } from '../bson/values.js';

export interface UpdateContext {
  /** Index of the matched array element, for the positional `$`. */
  readonly position?: number | undefined;
  /** True while an upsert makes its document. */
  readonly isInsert: boolean;
  readonly now: Date;
}

export interface LeafContext extends UpdateContext {
  /** The document before the update. */
  readonly root: Doc;
  /** The dotted path of the field, with array indexes in place of `$`. */
  readonly path: string;
}

/** What an operator does to one field. */
export interface LeafOp {
  /**
   * What happens where the path cannot exist, as below a number: 'create' would have to make the field and fails,
   * 'refuse' fails as well, 'ignore' leaves the document as it is.
   */
  readonly blocked: 'create' | 'refuse' | 'ignore';
  /** Whether there is nothing to do for this document, as for `$setOnInsert` unless it is inserted. */
  isIdle?(root: Doc, isInsert: boolean): boolean;
  /** Gets undefined for a missing field and may return it. The same object back means that nothing changes. */
  apply(current: Value | undefined, context: LeafContext): Value | undefined;
}

/** Parses an operator's operand for one field. Throws MongoDB's error for a wrong one. */
export type LeafParser = (path: string, operand: Value) => LeafOp;

export function idText(root: Doc): string {
  const id = root.get('_id');
  return id === undefined ? '{ no id }' : `{_id: ${display(id)}}`;
}

export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
