import { canonicalType, compareValues } from '../bson/compare.js';
import { isDoc, isRegex, type Doc, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { isOrdered } from './bounds.js';
import { analyse, type Predicate } from './predicates.js';

const COMPARISONS = new Set(['$eq', '$gt', '$gte', '$lt', '$lte']);

/**
 * Throws CannotCreateIndex (67) for a partialFilterExpression with anything but $eq, $in, ranges, $exists: true, $type, $and
 * and $or.
 */
export function assertPartialFilter(filter: Doc): void {
  for (const [key, value] of filter) {
    if (key === '$and' || key === '$or') {
      if (!Array.isArray(value))
        throw new MongoError(67, `${key} must be an array in a partialFilterExpression`);
      for (const clause of value) if (isDoc(clause)) assertPartialFilter(clause);
    } else if (key.startsWith('$')) {
      throw unsupported(key);
    } else if (isRegex(value)) {
      throw unsupported('$regex');
    } else if (isDoc(value)) {
      assertOperators(value);
    }
  }
}

function assertOperators(operators: Doc): void {
  for (const [operator, operand] of operators) {
    if (!operator.startsWith('$')) return;
    const allowed =
      COMPARISONS.has(operator) ||
      operator === '$in' ||
      operator === '$type' ||
      (operator === '$exists' && operand === true);
    if (!allowed) throw unsupported(operator);
  }
}

function unsupported(operator: string): MongoError {
  return new MongoError(67, `Expression not supported in partial index: ${operator}`);
}

/** Whether every document that meets the query's predicates is certain to be in an index with that partial filter. */
export function impliesPartial(query: readonly Predicate[], partial: Doc): boolean {
  return [...partial].every(([key, value]) => {
    if (key === '$and' || key === '$or') {
      const clauses = Array.isArray(value) ? value : [];
      const isImplied = (clause: Value): boolean => isDoc(clause) && impliesPartial(query, clause);
      return key === '$and' ? clauses.every(isImplied) : clauses.some(isImplied);
    }
    const { predicates, complete } = analyse(new Map([[key, value]]));
    return complete && predicates.every((needed) => query.some((given) => implies(given, needed)));
  });
}

/** Whether a document that meets `given` meets `needed` for certain; false when it cannot tell. */
export function implies(given: Predicate, needed: Predicate): boolean {
  if (given.path !== needed.path) return false;
  if (given.op === needed.op && compareValues(given.operand, needed.operand) === 0) return true;
  if (needed.op === '$in') return isListed(given, needed.operand);
  if (needed.op === '$exists') return provesExistence(given);
  if (!COMPARISONS.has(needed.op) || needed.op === '$eq' || !COMPARISONS.has(given.op)) return false;
  if (!isOrdered(given.operand) || canonicalType(given.operand) !== canonicalType(needed.operand))
    return false;
  return isWithin(given, needed, compareValues(given.operand, needed.operand));
}

function isListed({ op, operand }: Predicate, list: Value): boolean {
  const asked = op === '$eq' ? [operand] : op === '$in' && Array.isArray(operand) ? operand : undefined;
  if (!asked || !Array.isArray(list)) return false;
  return asked.every((value) => !isRegex(value) && list.some((known) => compareValues(known, value) === 0));
}

function provesExistence({ op, operand }: Predicate): boolean {
  if (op === '$in') return Array.isArray(operand) && operand.every(isOrdered);
  return op === '$type' || (COMPARISONS.has(op) && isOrdered(operand));
}

function isWithin(given: Predicate, needed: Predicate, order: number): boolean {
  switch (needed.op) {
    case '$gt':
      return given.op === '$gt' ? order >= 0 : order > 0 && isLowerBound(given.op);
    case '$gte':
      return order >= 0 && isLowerBound(given.op);
    case '$lt':
      return given.op === '$lt' ? order <= 0 : order < 0 && isUpperBound(given.op);
    default:
      return order <= 0 && isUpperBound(given.op);
  }
}

function isLowerBound(op: string): boolean {
  return op === '$eq' || op === '$gt' || op === '$gte';
}

function isUpperBound(op: string): boolean {
  return op === '$eq' || op === '$lt' || op === '$lte';
}
