import type { Doc, Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { type CompileContext, type Expr, type Scope, variableOf } from './scope.js';

/**
 * The parts of a path as expressions and stages may name it. Throws 40352, 40353, 15998 and 16410 for empty parts and
 * parts that begin with `$`.
 */
export function checkedFieldPath(path: string): string[] {
  if (path === '') throw new MongoError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw new MongoError(40353, "FieldPath must not end with a '.'.");
  const parts = path.split('.');
  for (const part of parts) {
    if (part === '') throw new MongoError(15998, 'FieldPath field names may not be empty strings.');
    if (part.startsWith('$')) {
      throw new MongoError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    }
    if (part.includes('\0')) throw new MongoError(16411, 'FieldPath field names may not contain null bytes.');
  }
  return parts;
}

/** `$a.b` or `$$variable.b`. */
export function compileFieldPath(text: string, context: CompileContext): Expr {
  if (!text.startsWith('$$')) {
    if (text === '$') throw new MongoError(16872, "'$' by itself is not a valid FieldPath");
    const parts = checkedFieldPath(text.slice(1));
    const current = variable('CURRENT', context);
    return (scope) => follow(current(scope), parts, 0);
  }
  const dot = text.indexOf('.');
  const name = dot < 0 ? text.slice(2) : text.slice(2, dot);
  if (name === '') throw new MongoError(16869, 'empty variable names are not allowed');
  const start = variable(name, context);
  if (dot < 0) return start;
  const parts = checkedFieldPath(text.slice(dot + 1));
  return (scope) => follow(start(scope), parts, 0);
}

function variable(name: string, context: CompileContext): Expr {
  if (context.variables.has(name)) return (scope) => variableOf(scope, name);
  switch (name) {
    case 'ROOT':
    case 'CURRENT':
      return (scope: Scope) => scope.root;
    case 'NOW':
      return (scope: Scope) => scope.now;
    case 'REMOVE':
      return () => undefined;
    default:
      throw new MongoError(17276, `Use of undefined variable: ${name}`);
  }
}

/** In expressions an array on the way gives the array of what its documents hold; numbers are no indexes. */
export function follow(value: Value | undefined, parts: readonly string[], from: number): Value | undefined {
  const part = parts[from];
  if (part === undefined || value === undefined) return value;
  if (value instanceof Map) return follow(value.get(part), parts, from + 1);
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((element) => {
    const found = element instanceof Map || Array.isArray(element) ? follow(element, parts, from) : undefined;
    return found === undefined ? [] : [found];
  });
}

/** Sets a dotted path in a document of our own making, creating documents on the way. */
export function setAtPath(doc: Doc, parts: readonly string[], value: Value): void {
  let current = doc;
  for (const part of parts.slice(0, -1)) {
    const child = current.get(part);
    const next: Doc = child instanceof Map ? child : new Map();
    current.set(part, next);
    current = next;
  }
  current.set(parts.at(-1) ?? '', value);
}
