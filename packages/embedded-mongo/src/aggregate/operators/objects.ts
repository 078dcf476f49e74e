import { textOf, type Doc, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { fixed, isAbsent, type Maybe, namedArguments, typeText, variadic } from '../arguments.js';
import type { CompileContext, Expr, OperatorTable } from '../scope.js';

export function mergeInto(target: Doc, value: Maybe): void {
  if (isAbsent(value)) return;
  if (!(value instanceof Map)) {
    throw new MongoError(
      40400,
      `$mergeObjects requires object inputs, but input is of type ${typeText(value)}`,
    );
  }
  for (const [name, field] of value) target.set(name, field);
}

function mergeObjects(values: readonly Maybe[]): Maybe {
  const merged: Doc = new Map();
  for (const value of values) mergeInto(merged, value);
  return merged;
}

function objectToArray(value: Maybe): Maybe {
  if (isAbsent(value)) return null;
  if (!(value instanceof Map)) {
    throw new MongoError(40390, `$objectToArray requires a document input, found: ${typeText(value)}`);
  }
  return [...value].map(
    ([k, v]) =>
      new Map<string, Value>([
        ['k', k],
        ['v', v],
      ]),
  );
}

function arrayToObject(value: Maybe): Maybe {
  if (isAbsent(value)) return null;
  if (!Array.isArray(value)) {
    throw new MongoError(40386, `$arrayToObject requires an array input, found: ${typeText(value)}`);
  }
  const doc: Doc = new Map();
  const wantsPairs = Array.isArray(value[0]);
  for (const element of value) {
    const [name, field] = wantsPairs ? pair(element) : keyAndValue(element);
    if (name.includes('\0')) throw new MongoError(4940400, 'Key field cannot contain an embedded null byte');
    doc.set(name, field);
  }
  return doc;
}

function pair(element: Value): [string, Value] {
  if (!Array.isArray(element)) {
    throw new MongoError(
      40396,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: ${typeText(element)}`,
    );
  }
  const [name, field] = element;
  if (element.length !== 2 || name === undefined || field === undefined) {
    throw new MongoError(
      40397,
      `$arrayToObject requires an array of size 2 arrays,found array of size: ${element.length}`,
    );
  }
  return [
    keyName(
      name,
      40395,
      '$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ',
    ),
    field,
  ];
}

function keyAndValue(element: Value): [string, Value] {
  if (!(element instanceof Map)) {
    throw new MongoError(
      Array.isArray(element) ? 40391 : 40398,
      `Unrecognised input type format for $arrayToObject: ${typeText(element)}`,
    );
  }
  const name = element.get('k');
  const field = element.get('v');
  if (element.size !== 2) {
    throw new MongoError(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${element.size}`,
    );
  }
  if (name === undefined || field === undefined) {
    throw new MongoError(
      40393,
      "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: object",
    );
  }
  return [
    keyName(
      name,
      40394,
      "$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ",
    ),
    field,
  ];
}

function keyName(name: Value, code: number, message: string): string {
  const text = textOf(name);
  if (text === undefined) throw new MongoError(code, `${message}${typeText(name)}`);
  return text;
}

/** `$getField: 'name'` or `{ field, input }`: names may contain dots and dollars. */
function getField(operand: Value, context: CompileContext): Expr {
  const isNamed = operand instanceof Map && operand.has('field');
  const fields = isNamed
    ? namedArguments('$getField', operand, 3041701, ['field'], ['input'])
    : new Map<string, Value>([['field', operand]]);
  const field = context.compile(fields.get('field') ?? null);
  const input = context.compile(fields.get('input') ?? '$$CURRENT');
  return (scope) => {
    const name = textOf(field(scope));
    if (name === undefined) {
      throw new MongoError(
        3041704,
        `$getField requires 'field' to evaluate to type String, but got ${typeText(field(scope))}`,
      );
    }
    const doc = input(scope);
    if (isAbsent(doc)) return doc === undefined ? undefined : null;
    return doc instanceof Map ? doc.get(name) : undefined;
  };
}

function setField(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$setField', operand, 4161101, ['field', 'input', 'value']);
  return fieldChange('$setField', fields, context, context.compile(fields.get('value') ?? null));
}

function unsetField(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$unsetField', operand, 4161101, ['field', 'input']);
  return fieldChange('$unsetField', fields, context, () => undefined);
}

function fieldChange(operator: string, fields: Doc, context: CompileContext, value: Expr): Expr {
  const name = context.compile(fields.get('field') ?? null);
  const input = context.compile(fields.get('input') ?? null);
  return (scope) => {
    const key = textOf(name(scope));
    if (key === undefined) {
      throw new MongoError(
        4161107,
        `${operator} requires 'field' to evaluate to type String, but got ${typeText(name(scope))}`,
      );
    }
    const doc = input(scope);
    if (isAbsent(doc)) return null;
    if (!(doc instanceof Map)) {
      throw new MongoError(4161105, `${operator} requires 'input' to evaluate to type Object`);
    }
    const result = new Map(doc);
    const next = value(scope);
    if (next === undefined) result.delete(key);
    else result.set(key, next);
    return result;
  };
}

export const objectOperators: OperatorTable = {
  $mergeObjects: variadic(mergeObjects),
  $objectToArray: fixed('$objectToArray', 1, objectToArray),
  $arrayToObject: fixed('$arrayToObject', 1, arrayToObject),
  $getField: getField,
  $setField: setField,
  $unsetField: unsetField,
};
