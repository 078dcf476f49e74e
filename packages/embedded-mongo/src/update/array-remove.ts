import { valuesEqual } from '../bson/compare.js';
import { display } from '../bson/display.js';
import { type Doc, isNumber, isRegex, typeName, type Value } from '../bson/values.js';
import { ValueSet } from '../bson/value-set.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { compileQuery } from '../query/compile.js';
import { exactInteger } from '../query/numbers.js';
import type { LeafOp } from './leaf.js';

type ElementTest = (element: Value) => boolean;

/** `$pull`: a value, a condition such as `{ $gt: 3 }` on the elements, or a filter for elements that are documents. */
export function pull(_path: string, operand: Value): LeafOp {
  return culling(pullTest(operand));
}

function pullTest(operand: Value): ElementTest {
  if (isRegex(operand) || testsElement(operand)) {
    const query = compileQuery(new Map([['', operand]]));
    return (element) => query.matches(new Map([['', element]]));
  }
  if (operand instanceof Map) {
    const query = compileQuery(operand);
    return (element) => element instanceof Map && query.matches(element);
  }
  return (element) => valuesEqual(element, operand);
}

const ELEMENT_OPERATORS = new Set([
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$ne',
  '$exists',
  '$type',
  '$size',
  '$all',
  '$mod',
  '$regex',
  '$options',
  '$elemMatch',
  '$bitsAllSet',
  '$bitsAllClear',
  '$bitsAnySet',
  '$bitsAnyClear',
  '$near',
  '$nearSphere',
  '$geoWithin',
  '$within',
  '$geoIntersects',
  '$maxDistance',
  '$minDistance',
]);

/** Of the operators on a field `$eq` and `$not` are not among these: with them it is a filter, and one that is refused. */
function testsElement(operand: Value): operand is Doc {
  return operand instanceof Map && ELEMENT_OPERATORS.has(operand.keys().next().value ?? '');
}

/** `$pullAll: { field: [values] }`. */
export function pullAll(_path: string, operand: Value): LeafOp {
  if (!Array.isArray(operand)) {
    throw badValue(`$pullAll requires an array argument but was given a ${typeName(operand)}`);
  }
  const removed = new ValueSet(operand);
  return culling((element) => removed.has(element));
}

function culling(test: ElementTest): LeafOp {
  return {
    blocked: 'ignore',
    apply: (current) => {
      if (current === undefined) return undefined;
      if (!Array.isArray(current)) throw badValue('Cannot apply $pull to a non-array value');
      const rest = current.filter((element) => !test(element));
      return rest.length === current.length ? current : rest;
    },
  };
}

/** `$pop: { field: 1 }` takes the last element, -1 the first. */
export function pop(path: string, operand: Value): LeafOp {
  const end = isNumber(operand) ? exactInteger(operand) : undefined;
  if (!isNumber(operand)) {
    throw new MongoError(ErrorCode.FailedToParse, `Expected a number in: ${path}: ${display(operand)}`);
  }
  if (end === undefined) {
    throw new MongoError(ErrorCode.FailedToParse, `Expected an integer: ${path}: ${display(operand)}`);
  }
  if (end !== 1n && end !== -1n) {
    throw new MongoError(ErrorCode.FailedToParse, `$pop expects 1 or -1, found: ${display(operand)}`);
  }
  return {
    blocked: 'refuse',
    apply: (current, context) => {
      if (current === undefined) return undefined;
      if (!Array.isArray(current)) {
        throw new MongoError(
          ErrorCode.TypeMismatch,
          `Path '${context.path}' contains an element of non-array type '${typeName(current)}'`,
        );
      }
      if (current.length === 0) return current;
      return end === 1n ? current.slice(0, -1) : current.slice(1);
    },
  };
}
