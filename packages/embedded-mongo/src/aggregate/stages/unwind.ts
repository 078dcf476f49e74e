import { Long } from 'bson';
import { type Doc, typeName, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { isAbsent } from '../arguments.js';
import { checkedFieldPath, setAtPath } from '../field-path.js';
import type { RunStage } from '../stage.js';

interface Unwind {
  readonly path: readonly string[];
  readonly index: readonly string[] | undefined;
  readonly preserve: boolean;
}

/** `$unwind`: a document for each element of an array; what is no array counts as its only element. */
export function unwind(spec: Value): RunStage {
  const options = parseUnwind(spec);
  return function* run(source) {
    for (const doc of source) yield* unwound(doc, options);
  };
}

function parseUnwind(spec: Value): Unwind {
  if (typeof spec === 'string') return { path: unwindPath(spec), index: undefined, preserve: false };
  if (!(spec instanceof Map)) {
    throw new MongoError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (name !== 'path' && name !== 'includeArrayIndex' && name !== 'preserveNullAndEmptyArrays') {
      throw new MongoError(28811, `unrecognized option to $unwind stage: ${name}`);
    }
  }
  const path = spec.get('path');
  if (path === undefined) throw new MongoError(28812, 'no path specified to $unwind stage');
  if (typeof path !== 'string')
    throw new MongoError(28808, `expected a string as the path for $unwind stage, got ${typeName(path)}`);
  const preserve = spec.get('preserveNullAndEmptyArrays') ?? false;
  if (typeof preserve !== 'boolean') {
    throw new MongoError(
      28809,
      `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(preserve)}`,
    );
  }
  return { path: unwindPath(path), index: indexPath(spec.get('includeArrayIndex')), preserve };
}

function unwindPath(path: string): readonly string[] {
  if (!path.startsWith('$')) {
    throw new MongoError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  }
  return checkedFieldPath(path.slice(1));
}

function indexPath(name: Value | undefined): readonly string[] | undefined {
  if (name === undefined) return undefined;
  if (typeof name !== 'string' || name === '') {
    throw new MongoError(
      28810,
      'expected a non-empty string for the includeArrayIndex  option to $unwind stage',
    );
  }
  if (name.startsWith('$')) {
    throw new MongoError(
      28822,
      `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${name}`,
    );
  }
  return checkedFieldPath(name);
}

function* unwound(doc: Doc, options: Unwind): Generator<Doc> {
  const value = valueThroughDocs(doc, options.path);
  if (Array.isArray(value) && value.length > 0) {
    for (const [i, element] of value.entries()) yield withElement(doc, element, Long.fromNumber(i), options);
    return;
  }
  const isEmpty = isAbsent(value) || Array.isArray(value);
  if (!isEmpty || options.preserve)
    yield withElement(doc, Array.isArray(value) ? undefined : value, null, options);
}

function withElement(doc: Doc, element: Value | undefined, index: Value, options: Unwind): Doc {
  const result = replaced(doc, options.path, element);
  if (!options.index) return result;
  const copy = copiedAlong(result, options.index);
  setAtPath(copy, options.index, index);
  return copy;
}

function valueThroughDocs(doc: Doc, path: readonly string[]): Value | undefined {
  let current: Value | undefined = doc;
  for (const part of path) current = current instanceof Map ? current.get(part) : undefined;
  return current;
}

/** The document with another value at the path, or without the field; untouched when the path does not exist. */
function replaced(doc: Doc, path: readonly string[], value: Value | undefined): Doc {
  const [part = '', ...rest] = path;
  const child = doc.get(part);
  if (child === undefined) return doc;
  const result = new Map(doc);
  if (rest.length > 0) {
    if (child instanceof Map) result.set(part, replaced(child, rest, value));
  } else if (value === undefined) {
    result.delete(part);
  } else {
    result.set(part, value);
  }
  return result;
}

/** Copies the documents along a path, so that a value can be set there without changing the original. */
function copiedAlong(doc: Doc, path: readonly string[]): Doc {
  const [part = '', ...rest] = path;
  const result = new Map(doc);
  const child = doc.get(part);
  if (rest.length > 0 && child instanceof Map) result.set(part, copiedAlong(child, rest));
  return result;
}
