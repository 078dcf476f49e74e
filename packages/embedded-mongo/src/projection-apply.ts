import type { Scope } from './aggregate/scope.js';
import type { Doc, Value } from './bson/values.js';
import type { Branch, Leaf, Projection } from './projection-parse.js';

/** Applies all but the parts that need the query; the fields come in the document's order, computed ones after them. */
export function applyProjection(projection: Projection, doc: Doc, scope: Scope): Doc {
  if (projection.mode === 'exclusion') return exclude(doc, projection.root, projection.id === 'exclude');
  const result = include(doc, projection.root, projection.id !== 'exclude');
  compute(result, projection.root, scope);
  return result;
}

function include(doc: Doc, branch: Branch, withId: boolean): Doc {
  const result: Doc = new Map();
  for (const [name, value] of doc) {
    const child = branch.children.get(name);
    if (child === undefined) {
      if (withId && name === '_id') result.set(name, value);
      continue;
    }
    const kept = includeChild(value, child);
    if (kept !== undefined) result.set(name, kept);
  }
  return result;
}

function includeChild(value: Value, child: Branch | Leaf): Value | undefined {
  switch (child.kind) {
    case 'include':
    case 'positional':
      return value;
    case 'slice':
      return slice(value, child.skip, child.limit);
    case 'branch':
      return includeBelow(value, child);
    default:
      return undefined;
  }
}

/** Documents, also within arrays, are cut down to the fields asked for; scalars vanish. */
function includeBelow(value: Value, branch: Branch): Value | undefined {
  if (value instanceof Map) return include(value, branch, false);
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((element) => {
    const kept = includeBelow(element, branch);
    return kept === undefined ? [] : [kept];
  });
}

function exclude(doc: Doc, branch: Branch, withoutId: boolean): Doc {
  const result: Doc = new Map();
  for (const [name, value] of doc) {
    const child = branch.children.get(name);
    if (child === undefined) {
      if (!withoutId || name !== '_id') result.set(name, value);
    } else if (child.kind === 'branch') {
      result.set(name, excludeBelow(value, child));
    } else if (child.kind === 'slice') {
      result.set(name, slice(value, child.skip, child.limit));
    } else if (child.kind !== 'exclude' && child.kind !== 'elemMatch') {
      result.set(name, value);
    }
  }
  return result;
}

function excludeBelow(value: Value, branch: Branch): Value {
  if (value instanceof Map) return exclude(value, branch, false);
  return Array.isArray(value) ? value.map((element) => excludeBelow(element, branch)) : value;
}

function slice(value: Value, skip: number | undefined, limit: number): Value {
  if (!Array.isArray(value)) return value;
  if (skip === undefined) return limit < 0 ? value.slice(limit) : value.slice(0, limit);
  const start = skip < 0 ? Math.max(0, value.length + skip) : skip;
  return value.slice(start, start + limit);
}

/** Adds the computed fields to a document of our own making. */
export function compute(result: Doc, branch: Branch, scope: Scope): void {
  for (const [name, child] of branch.children) {
    if (child.kind === 'computed') {
      const value = child.expr(scope);
      if (value === undefined) result.delete(name);
      else result.set(name, value);
    } else if (child.kind === 'branch' && hasComputed(child)) {
      result.set(name, computeBelow(result.get(name), child, scope));
    }
  }
}

/** Computed fields below an array go into each of its elements; what is no document becomes one. */
function computeBelow(value: Value | undefined, branch: Branch, scope: Scope): Value {
  if (Array.isArray(value)) return value.map((element) => computeBelow(element, branch, scope));
  const doc: Doc = value instanceof Map ? new Map(value) : new Map();
  compute(doc, branch, scope);
  return doc;
}

function hasComputed(branch: Branch): boolean {
  return [...branch.children.values()].some(
    (child) => child.kind === 'computed' || (child.kind === 'branch' && hasComputed(child)),
  );
}
