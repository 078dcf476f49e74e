import { isOperatorDoc } from '../query/field.js';
import { isDoc, isRegex, type Doc, type Value } from '../bson/values.js';

const OPERATORS = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte', '$exists', '$type']);

/** One condition on one path that every matching document meets. */
export interface Predicate {
  readonly path: string;
  readonly op: string;
  readonly operand: Value;
}

export interface Analysis {
  readonly predicates: readonly Predicate[];
  /** The predicates say all that the filter says. */
  readonly complete: boolean;
}

/** The conditions of a filter that an index may serve: those that are AND-ed at its top. */
export function analyse(filter: Doc): Analysis {
  const predicates: Predicate[] = [];
  const complete = collect(filter, predicates);
  return { predicates, complete };
}

function collect(filter: Doc, predicates: Predicate[]): boolean {
  let complete = true;
  for (const [key, value] of filter) {
    if (key === '$and' && Array.isArray(value)) {
      for (const clause of value) complete = isDoc(clause) && collect(clause, predicates) && complete;
    } else if (key.startsWith('$')) {
      complete = key === '$comment' && complete;
    } else {
      complete = collectField(key, value, predicates) && complete;
    }
  }
  return complete;
}

function collectField(path: string, value: Value, predicates: Predicate[]): boolean {
  if (isRegex(value)) return false;
  if (!isOperatorDoc(value)) {
    predicates.push({ path, op: '$eq', operand: value });
    return true;
  }
  let complete = true;
  for (const [op, operand] of value) {
    if (OPERATORS.has(op) && !isRegex(operand)) predicates.push({ path, op, operand });
    else complete = false;
  }
  return complete;
}
