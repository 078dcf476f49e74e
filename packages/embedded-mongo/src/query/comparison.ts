import type { BSONRegExp } from 'bson';
import { canonicalType, compareValues } from '../bson/compare.js';
import { decimalParts } from '../bson/decimal.js';
import { isDecimal, isDouble, isRegex, isUndefined, textOf, type Value } from '../bson/values.js';
import { badValue } from '../errors.js';
import type { TextOrder } from './collation.js';
import { type FieldTest, leaf, type ValueTest } from './field-test.js';
import { compileBsonRegex, type TextTest } from './regex.js';

export type ComparisonOperator = '$eq' | '$gt' | '$gte' | '$lt' | '$lte';

const EOO_TYPE = 0;
const NULL_TYPE = 5;
const MIN_KEY_TYPE = -1;
const MAX_KEY_TYPE = 127;

/** A comparison within the operand's type bracket; null stands for missing too, and NaN only equals NaN. */
export function comparison(
  op: ComparisonOperator,
  operand: Value,
  path: string,
  text?: TextOrder,
): FieldTest {
  if (isUndefined(operand)) throw badValue('cannot compare to undefined');
  if (isRegex(operand) && op !== '$eq') {
    throw badValue(`Can't have RegEx as arg to predicate over field '${path}'.`);
  }
  return leaf(
    typeof operand === 'string' && op === '$eq' && !text
      ? equalsText(operand)
      : compareTest(op, operand, text),
  );
}

function equalsText(operand: string): ValueTest {
  return (value) => textOf(value) === operand;
}

function compareTest(op: ComparisonOperator, operand: Value, text?: TextOrder): ValueTest {
  const type = canonicalType(operand);
  const includesEqual = op === '$eq' || op === '$gte' || op === '$lte';
  const operandIsNaN = isNaNValue(operand);
  return (value) => {
    const valueType = value === undefined ? EOO_TYPE : canonicalType(value);
    if (value === undefined || valueType !== type) return acrossTypes(op, valueType, type);
    if (operandIsNaN || isNaNValue(value)) return includesEqual && operandIsNaN && isNaNValue(value);
    const order = compareValues(value, operand, text);
    if (order === 0) return includesEqual;
    return order < 0 ? op === '$lt' || op === '$lte' : op === '$gt' || op === '$gte';
  };
}

/** null, undefined and missing are alike; MinKey and MaxKey are the only operands that look beyond their bracket. */
function acrossTypes(op: ComparisonOperator, valueType: number, type: number): boolean {
  if (type === NULL_TYPE) return valueType === EOO_TYPE && op !== '$gt' && op !== '$lt';
  if (type === MAX_KEY_TYPE) return op === '$lt' || op === '$lte';
  if (type === MIN_KEY_TYPE) return op === '$gt' || op === '$gte';
  return false;
}

export function isNaNValue(value: Value): boolean {
  if (isDouble(value)) return Number.isNaN(value.value);
  return isDecimal(value) && decimalParts(value).kind === 'nan';
}

/** A regular expression matches strings, symbols, and the very same regular expression as a stored value. */
export function regexTest(regex: BSONRegExp, matches: TextTest = compileBsonRegex(regex)): ValueTest {
  return (value) => {
    const text = textOf(value);
    if (text !== undefined) return matches(text);
    return isRegex(value) && value.pattern === regex.pattern && value.options === regex.options;
  };
}

/** `$in`: equal to one of the values, or matching one of the regular expressions. */
export function inTest(operands: readonly Value[], order?: TextOrder): ValueTest {
  if (operands.some((operand) => isUndefined(operand)))
    throw badValue('InMatchExpression equality cannot be undefined');
  if (order) {
    const tests = operands.map((operand) =>
      isRegex(operand) ? regexTest(operand) : compareTest('$eq', operand, order),
    );
    return (value) => tests.some((test) => test(value));
  }
  const texts = new Set(operands.filter((operand) => typeof operand === 'string'));
  const sorted = operands
    .filter((operand) => typeof operand !== 'string' && !isRegex(operand))
    .toSorted(compareValues);
  const regexes = operands.filter(isRegex).map((regex) => regexTest(regex));
  const hasNull = operands.includes(null);
  return (value) => {
    if (value === undefined || isUndefined(value)) return hasNull;
    const text = textOf(value);
    if (text !== undefined && texts.has(text)) return true;
    return contains(sorted, value) || regexes.some((test) => test(value));
  };
}

function contains(sorted: readonly Value[], value: Value): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareValues(sorted[middle] ?? null, value);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}
