import { isRegex, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { isOperatorDoc } from './field.js';

/**
 * The document that an upsert starts from: the fields that the filter asks to be equal to a value, at the top level, in
 * `$and`, in an `$or`, `$in` or `$all` of one. Throws NotSingleValueField (54) when a field is asked for twice or lies
 * within another.
 */
export function upsertSeed(filter: Doc): Doc {
  const equalities = new Map<string, Value>();
  collect(filter, equalities);
  const seed: Doc = new Map();
  for (const [path, value] of equalities) setPath(seed, path.split('.'), value);
  return seed;
}

function collect(filter: Doc, into: Map<string, Value>): void {
  for (const [key, operand] of filter) {
    if (key === '$and' || (key === '$or' && Array.isArray(operand) && operand.length === 1)) {
      collectBranches(operand, into);
    } else if (!key.startsWith('$')) {
      for (const value of equalValues(operand)) add(into, key, value);
    }
  }
}

function collectBranches(branches: Value, into: Map<string, Value>): void {
  if (!Array.isArray(branches)) return;
  for (const branch of branches) if (branch instanceof Map) collect(branch, into);
}

function equalValues(spec: Value): Value[] {
  if (!isOperatorDoc(spec)) return isRegex(spec) ? [] : [spec];
  const values: Value[] = [];
  for (const [op, operand] of spec) {
    if (op === '$eq') values.push(operand);
    if (Array.isArray(operand) && (op === '$all' || (op === '$in' && operand.length === 1))) {
      values.push(...operand.filter((element) => !isRegex(element) && !isOperatorDoc(element)));
    }
  }
  return values;
}

function add(into: Map<string, Value>, path: string, value: Value): void {
  if (into.has(path)) throw matchedTwice(`path '${path}' is matched twice`);
  for (const other of into.keys()) {
    if (other.startsWith(`${path}.`) || path.startsWith(`${other}.`)) {
      throw matchedTwice(`both paths '${path}' and '${other}' are matched`);
    }
  }
  into.set(path, value);
}

function matchedTwice(reason: string): MongoError {
  return new MongoError(ErrorCode.NotSingleValueField, `cannot infer query fields to set, ${reason}`);
}

function setPath(doc: Doc, parts: readonly string[], value: Value): void {
  const [part = '', ...rest] = parts;
  if (rest.length === 0) {
    doc.set(part, value);
    return;
  }
  const child = doc.get(part);
  const next: Doc = child instanceof Map ? child : new Map();
  doc.set(part, next);
  setPath(next, rest, value);
}
