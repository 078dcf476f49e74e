import { compareStrings } from '../bson/compare.js';
import { ErrorCode, MongoError } from '../errors.js';
import { arrayIndex } from '../path.js';
import type { LeafOp } from './leaf.js';
import { isArrayFilterPart } from './update-path.js';

export type UpdateNode = { readonly kind: 'leaf'; readonly op: LeafOp } | UpdateBranch;

export interface UpdateBranch {
  readonly kind: 'branch';
  /** Each branch holds either field names or `$[...]` parts, never both. In the order in which they are applied. */
  readonly children: Map<string, UpdateNode>;
}

export interface UpdateEntry {
  readonly parts: readonly string[];
  readonly op: LeafOp;
}

/** All changes as one tree by path. Throws ConflictingUpdateOperators (40) when two change the same field. */
export function buildTree(entries: readonly UpdateEntry[]): UpdateBranch {
  let root: UpdateBranch = { kind: 'branch', children: new Map() };
  for (const entry of entries) {
    const path = entry.parts.join('.');
    root = mergeBranches(root, chain(entry), '', () => path);
  }
  return sorted(root);
}

function chain(entry: UpdateEntry): UpdateBranch {
  let node: UpdateNode = { kind: 'leaf', op: entry.op };
  for (const part of entry.parts.toReversed()) node = { kind: 'branch', children: new Map([[part, node]]) };
  if (node.kind === 'leaf')
    throw new MongoError(ErrorCode.EmptyFieldName, 'An empty update path is not valid.');
  return node;
}

/** Merges two trees at `path`; `culprit` names the path whose addition is to blame in a conflict. */
export function mergeNodes(a: UpdateNode, b: UpdateNode, path: string, culprit: () => string): UpdateNode {
  if (a.kind === 'leaf' || b.kind === 'leaf') throw conflict(culprit(), path);
  return mergeBranches(a, b, path, culprit);
}

function mergeBranches(a: UpdateBranch, b: UpdateBranch, path: string, culprit: () => string): UpdateBranch {
  const children = new Map(a.children);
  for (const [part, node] of b.children) {
    const existing = children.get(part);
    const childPath = path === '' ? part : `${path}.${part}`;
    children.set(part, existing ? mergeNodes(existing, node, childPath, culprit) : node);
  }
  const filtered = [...children.keys()].filter(isArrayFilterPart).length;
  if (filtered > 0 && filtered < children.size) throw conflict(culprit(), path);
  return { kind: 'branch', children };
}

function conflict(culprit: string, at: string): MongoError {
  return new MongoError(
    ErrorCode.ConflictingUpdateOperators,
    `Updating the path '${culprit}' would create a conflict at '${at}'`,
  );
}

/** New fields are appended in the order of their names, numeric names by their number. */
export function sorted(branch: UpdateBranch): UpdateBranch {
  const children = [...branch.children]
    .toSorted(([a], [b]) => compareParts(a, b))
    .map(([part, node]) => [part, node.kind === 'branch' ? sorted(node) : node] as const);
  return { kind: 'branch', children: new Map(children) };
}

function compareParts(a: string, b: string): number {
  const x = arrayIndex(a);
  const y = arrayIndex(b);
  return x >= 0 && y >= 0 ? x - y : compareStrings(a, b);
}
