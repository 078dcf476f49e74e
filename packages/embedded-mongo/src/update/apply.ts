import { display } from '../bson/display.js';
import type { Doc, Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { arrayIndex } from '../path.js';
import type { ArrayFilters } from './array-filters.js';
import { lastPart, type LeafOp, type UpdateContext } from './leaf.js';
import { mergeNodes, sorted, type UpdateBranch, type UpdateNode } from './tree.js';
import { isArrayFilterPart } from './update-path.js';

/** MongoDB's limit for the nulls that setting an element beyond the end of an array fills in. */
const MAX_PADDING = 1_500_000;

/**
 * Applies a tree of changes to one document. Nothing is changed in place: what changes is copied along its path, and
 * where nothing changes the very same objects come back.
 */
export class Application {
  constructor(
    private readonly root: Doc,
    private readonly context: UpdateContext,
    private readonly filters: ArrayFilters,
  ) {}

  run(tree: UpdateBranch): Doc {
    return this.onDoc(tree, this.root, '');
  }

  private apply(node: UpdateNode, current: Value | undefined, path: string): Value | undefined {
    if (node.kind === 'leaf') {
      if (this.isIdle(node.op)) return current;
      return node.op.apply(current, { ...this.context, root: this.root, path });
    }
    const [first = ''] = node.children.keys();
    if (isArrayFilterPart(first)) return this.onElements(node, current, path);
    if (current === undefined) return this.create(node, path);
    if (current instanceof Map) return this.onDoc(node, current, path);
    if (Array.isArray(current)) return this.onArray(node, current, path);
    for (const [part, child] of node.children) this.refuseBlocked(child, part, current, path);
    return current;
  }

  private isIdle(op: LeafOp): boolean {
    return op.isIdle?.(this.root, this.context.isInsert) ?? false;
  }

  private create(branch: UpdateBranch, path: string): Doc | undefined {
    const doc = this.onDoc(branch, new Map(), path);
    return doc.size === 0 ? undefined : doc;
  }

  private onDoc(branch: UpdateBranch, doc: Doc, path: string): Doc {
    let result = doc;
    for (const [part, child] of branch.children) {
      const before = doc.get(part);
      const after = this.apply(child, before, join(path, part));
      if (after === before) continue;
      if (result === doc) result = new Map(doc);
      if (after === undefined) result.delete(part);
      else result.set(part, after);
    }
    return result;
  }

  private onArray(branch: UpdateBranch, array: Value[], path: string): Value[] {
    let result = array;
    for (const [part, child] of branch.children) {
      const index = arrayIndex(part);
      if (index < 0) {
        this.refuseBlocked(child, part, array, path);
        continue;
      }
      const before = array[index];
      // Elements cannot be removed by their index: they become null.
      const after = this.apply(child, before, join(path, part)) ?? (before === undefined ? undefined : null);
      if (after === before || after === undefined) continue;
      if (result === array) result = [...array];
      pad(result, index);
      result[index] = after;
    }
    return result;
  }

  /** `$[]` and `$[id]`: the changes of all parts whose filter accepts the element. */
  private onElements(branch: UpdateBranch, current: Value | undefined, path: string): Value[] {
    if (current === undefined) {
      throw badValue(`The path '${path}' must exist in the document in order to apply array updates.`);
    }
    if (!Array.isArray(current)) {
      throw badValue(
        `Cannot apply array updates to non-array element ${lastPart(path)}: ${display(current)}`,
      );
    }
    let result = current;
    for (const [i, element] of current.entries()) {
      const node = this.nodeFor(branch, element, join(path, String(i)));
      const after = node ? (this.apply(node, element, join(path, String(i))) ?? null) : element;
      if (after === element) continue;
      if (result === current) result = [...current];
      result[i] = after;
    }
    return result;
  }

  private nodeFor(branch: UpdateBranch, element: Value, path: string): UpdateNode | undefined {
    let merged: UpdateNode | undefined;
    for (const [part, node] of branch.children) {
      if (!this.filters.accepts(part, element)) continue;
      merged = merged ? mergeNodes(merged, node, path, () => path) : node;
    }
    return merged?.kind === 'branch' && branch.children.size > 1 ? sorted(merged) : merged;
  }

  /** Below a scalar, and below an array by a name, no field can exist or be made. */
  private refuseBlocked(node: UpdateNode, part: string, current: Value, path: string): void {
    if (node.kind === 'branch') {
      for (const child of node.children.values()) this.refuseBlocked(child, part, current, path);
      return;
    }
    if (this.isIdle(node.op) || node.op.blocked === 'ignore') return;
    const element = `{${lastPart(path)}: ${display(current)}}`;
    throw new MongoError(
      ErrorCode.PathNotViable,
      node.op.blocked === 'create'
        ? `Cannot create field '${part}' in element ${element}`
        : `Cannot use the part (${part}) of (${join(path, part)}) to traverse the element (${element})`,
    );
  }
}

function join(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`;
}

function pad(array: Value[], index: number): void {
  if (index - array.length > MAX_PADDING) {
    throw new MongoError(ErrorCode.CannotBackfillArray, `can't backfill more than ${MAX_PADDING} elements`);
  }
  while (array.length < index) array.push(null);
}
