import { BSONRegExp } from 'bson';
import { type Doc, isRegex, textOf, type Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { bitsTest, isBitOperator } from './bits.js';
import type { TextOrder } from './collation.js';
import { comparison, inTest, regexTest } from './comparison.js';
import { type DocTest, type FieldTest, allOf, leaf, negated, onElement } from './field-test.js';
import { isTrue } from './numbers.js';
import { compileRegex } from './regex.js';
import { modTest, sizeTest, typeTest } from './type-operators.js';

/** Compiles a whole filter for the documents of an array; given by the caller, as filters contain fields and these filters. */
export interface CompileFilter {
  (filter: Doc): DocTest;
  /** The command's collation. */
  readonly text?: TextOrder | undefined;
}

const REFUSED = new Set([
  '$near',
  '$nearSphere',
  '$geoWithin',
  '$within',
  '$geoIntersects',
  '$geoNear',
  '$maxDistance',
  '$minDistance',
]);
const DBREF_FIELDS = new Set(['$ref', '$id', '$db']);
const LOGICAL = new Set(['$and', '$or', '$nor', '$where', '$expr', '$text', '$comment', '$jsonSchema']);

/** Whether a document asks by operators ({ $gt: 1 }) rather than standing for itself. A DBRef stands for itself. */
export function isOperatorDoc(value: Value | undefined): value is Doc {
  if (!(value instanceof Map)) return false;
  const first = value.keys().next().value;
  return first !== undefined && first.startsWith('$') && !DBREF_FIELDS.has(first);
}

/** What a filter says about one field. Throws BadValue (2) and MongoDB's own codes for what is not well formed. */
export function parseField(path: string, spec: Value, compileFilter: CompileFilter): FieldTest {
  if (isRegex(spec)) return leaf(regexTest(spec));
  if (!isOperatorDoc(spec)) return comparison('$eq', spec, path, compileFilter.text);
  return allOf(parseOperators(path, spec, compileFilter));
}

function parseOperators(path: string, spec: Doc, compileFilter: CompileFilter): FieldTest[] {
  const tests: FieldTest[] = [];
  for (const [op, operand] of spec) {
    if (op === '$regex') tests.push(parseRegexOperator(spec));
    else if (op === '$options') checkOptionsHaveRegex(spec);
    else tests.push(parseOperator(path, op, operand, compileFilter));
  }
  return tests;
}

function parseOperator(path: string, op: string, operand: Value, compileFilter: CompileFilter): FieldTest {
  switch (op) {
    case '$eq':
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return comparison(op, operand, path, compileFilter.text);
    case '$ne':
      if (isRegex(operand)) throw badValue("Can't have regex as arg to $ne.");
      return negated(comparison('$eq', operand, path, compileFilter.text));
    case '$in':
      return leaf(inTest(inOperands(operand), compileFilter.text));
    case '$nin':
      return negated(leaf(inTest(inOperands(operand), compileFilter.text)));
    case '$not':
      return parseNot(path, operand, compileFilter);
    case '$exists':
      return isTrue(operand) ? exists : negated(exists);
    case '$all':
      return parseAll(path, operand, compileFilter);
    case '$elemMatch':
      return parseElemMatch(path, operand, compileFilter);
    default:
      return parseRareOperator(op, operand);
  }
}

const exists = leaf((value) => value !== undefined);

function parseRareOperator(op: string, operand: Value): FieldTest {
  if (op === '$type') return typeTest(operand);
  if (op === '$mod') return modTest(operand);
  if (op === '$size') return sizeTest(operand);
  if (isBitOperator(op)) return bitsTest(op, operand);
  if (REFUSED.has(op))
    throw new MongoError(ErrorCode.NotImplemented, `geospatial queries are not supported: ${op}`);
  throw badValue(`unknown operator: ${op}`);
}

function inOperands(operand: Value): Value[] {
  if (!Array.isArray(operand)) throw badValue('$in needs an array');
  if (operand.some((element) => isOperatorDoc(element))) throw badValue('cannot nest $ under $in');
  return operand;
}

function parseNot(path: string, operand: Value, compileFilter: CompileFilter): FieldTest {
  if (isRegex(operand)) return negated(leaf(regexTest(operand)));
  if (!(operand instanceof Map)) throw badValue('$not needs a regex or a document');
  if (operand.size === 0) throw badValue('$not cannot be empty');
  return negated(allOf(parseOperators(path, operand, compileFilter)));
}

function parseRegexOperator(spec: Doc): FieldTest {
  const operand = spec.get('$regex');
  const options = spec.get('$options');
  const given = options === undefined ? '' : textOf(options);
  if (given === undefined) throw badValue('$options has to be a string');
  if (isRegex(operand)) {
    if (operand.options !== '' && options !== undefined) {
      throw new MongoError(51075, 'options set in both $regex and $options');
    }
    return regexLeaf(operand.pattern, operand.options + given);
  }
  const pattern = textOf(operand);
  if (pattern === undefined) throw badValue('$regex has to be a string');
  return regexLeaf(pattern, given);
}

function regexLeaf(pattern: string, options: string): FieldTest {
  const matches = compileRegex(pattern, options);
  return leaf(regexTest(new BSONRegExp(pattern, options), matches));
}

function checkOptionsHaveRegex(spec: Doc): void {
  if (!spec.has('$regex')) throw badValue('$options needs a $regex');
}

function parseAll(path: string, operand: Value, compileFilter: CompileFilter): FieldTest {
  if (!Array.isArray(operand)) throw badValue('$all needs an array');
  const [first] = operand;
  if (first === undefined) return leaf(() => false);
  if (isElemMatch(first)) {
    return allOf(
      operand.map((element) => {
        if (!isElemMatch(element)) throw badValue('$all/$elemMatch has to be consistent');
        return parseElemMatch(path, element.get('$elemMatch') ?? null, compileFilter);
      }),
    );
  }
  return allOf(
    operand.map((element) => {
      if (isOperatorDoc(element)) throw badValue('no $ expressions in $all');
      return parseField(path, element, compileFilter);
    }),
  );
}

function isElemMatch(value: Value): value is Doc {
  return value instanceof Map && value.keys().next().value === '$elemMatch';
}

function parseElemMatch(path: string, operand: Value, compileFilter: CompileFilter): FieldTest {
  if (!(operand instanceof Map)) throw badValue('$elemMatch needs an Object');
  const first = operand.keys().next().value ?? '';
  if (isOperatorDoc(operand) && !LOGICAL.has(first)) {
    const test = onElement(allOf(parseOperators(path, operand, compileFilter)));
    return elemMatchLeaf(test);
  }
  for (const name of ['$where', '$expr', '$text']) {
    if (operand.has(name)) throw badValue(`${name} can only be applied to the top-level document`);
  }
  const filter = compileFilter(operand);
  return elemMatchLeaf((element) => {
    if (element instanceof Map) return filter(element);
    return Array.isArray(element) && filter(asDoc(element));
  });
}

/** MongoDB looks at an array within an array as at a document with the fields "0", "1", ... */
function asDoc(array: readonly Value[]): Doc {
  return new Map(array.map((element, i) => [String(i), element]));
}

function elemMatchLeaf(test: (element: Value) => boolean): FieldTest {
  return leaf((value, found) => {
    if (!Array.isArray(value)) return false;
    const position = value.findIndex(test);
    if (position >= 0 && found) found.position = position;
    return position >= 0;
  }, false);
}
