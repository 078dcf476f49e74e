import type { Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { exactInteger, isTrue } from '../../query/numbers.js';
import { FILTER, LET, MAP, REDUCE } from '../argument-codes.js';
import { isAbsent, namedArguments, typeText } from '../arguments.js';
import { bind, type CompileContext, type Expr, type OperatorTable } from '../scope.js';

function variableName(spec: Value | undefined, otherwise: string, operator: string): string {
  if (spec === undefined) return otherwise;
  if (typeof spec !== 'string')
    throw new MongoError(16866, `${operator}: the name of a variable must be a string`);
  if (spec === '') throw new MongoError(16866, 'empty variable names are not allowed');
  if (!/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(spec) && spec !== 'CURRENT') {
    throw new MongoError(16867, `'${spec}' starts with an invalid character for a user variable name`);
  }
  return spec;
}

function letIn(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$let', operand, LET, ['vars', 'in']);
  const vars = fields.get('vars');
  if (!(vars instanceof Map)) throw new MongoError(10065, 'invalid parameter: expected an object (vars)');
  const bindings = [...vars].map(
    ([name, spec]) => [variableName(name, name, '$let'), context.compile(spec)] as const,
  );
  const body = context.withVariables(bindings.map(([name]) => name)).compile(fields.get('in') ?? null);
  return (scope) => {
    let inner = scope;
    for (const [name, value] of bindings) inner = bind(inner, name, value(scope));
    return body(inner);
  };
}

function map(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$map', operand, MAP, ['input', 'in'], ['as']);
  const input = context.compile(fields.get('input') ?? null);
  const name = variableName(fields.get('as'), 'this', '$map');
  const body = context.withVariables([name]).compile(fields.get('in') ?? null);
  return (scope) => {
    const array = input(scope);
    if (isAbsent(array)) return null;
    if (!Array.isArray(array))
      throw new MongoError(16883, `input to $map must be an array not ${typeText(array)}`);
    return array.map((element) => body(bind(scope, name, element)) ?? null);
  };
}

function filter(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$filter', operand, FILTER, ['input', 'cond'], ['as', 'limit']);
  const input = context.compile(fields.get('input') ?? null);
  const name = variableName(fields.get('as'), 'this', '$filter');
  const condition = context.withVariables([name]).compile(fields.get('cond') ?? null);
  const limitSpec = fields.get('limit');
  const limit = limitSpec === undefined ? undefined : context.compile(limitSpec);
  return (scope) => {
    const array = input(scope);
    if (isAbsent(array)) return null;
    if (!Array.isArray(array))
      throw new MongoError(28651, `input to $filter must be an array not ${typeText(array)}`);
    const most = limit ? filterLimit(limit(scope)) : Infinity;
    const kept: Value[] = [];
    for (const element of array) {
      if (kept.length >= most) break;
      if (isTrue(condition(bind(scope, name, element)))) kept.push(element);
    }
    return kept;
  };
}

function filterLimit(value: Value | undefined): number {
  if (isAbsent(value)) return Infinity;
  const limit = exactInteger(value);
  if (limit === undefined || limit > 0x7fffffffn) {
    throw new MongoError(327391, '$filter: limit must be represented as a 32-bit integral value');
  }
  if (limit <= 0n) throw new MongoError(327392, `$filter: limit must be greater than 0: ${limit}`);
  return Number(limit);
}

function reduce(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments('$reduce', operand, REDUCE, ['input', 'initialValue', 'in']);
  const input = context.compile(fields.get('input') ?? null);
  const initial = context.compile(fields.get('initialValue') ?? null);
  const body = context.withVariables(['this', 'value']).compile(fields.get('in') ?? null);
  return (scope) => {
    const array = input(scope);
    if (isAbsent(array)) return null;
    if (!Array.isArray(array)) {
      throw new MongoError(40080, `$reduce requires that 'input' be an array, found: ${typeText(array)}`);
    }
    let value = initial(scope);
    for (const element of array) value = body(bind(bind(scope, 'this', element), 'value', value));
    return value;
  };
}

/** Operators that evaluate an inner expression with variables of their own. */
export const iterationOperators: OperatorTable = {
  $let: letIn,
  $map: map,
  $filter: filter,
  $reduce: reduce,
};
