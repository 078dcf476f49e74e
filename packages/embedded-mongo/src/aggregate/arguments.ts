import { isUndefined, typeName, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { ArgumentCodes } from './argument-codes.js';
import type { CompileContext, Expr, Operator, Scope } from './scope.js';

export type Maybe = Value | undefined;

/** null, undefined or missing: what most operators answer with null. */
export function isAbsent(v: Maybe): v is null | undefined {
  return v === undefined || v === null || isUndefined(v);
}

/** The type as MongoDB's messages name it. */
export function typeText(v: Maybe): string {
  return v === undefined ? 'missing' : typeName(v);
}

export function typeMismatch(message: string): MongoError {
  return new MongoError(ErrorCode.TypeMismatch, message);
}

/** The expressions of an operand: each element of an array, or the one that it is. */
export function expressions(operand: Value, context: CompileContext): Expr[] {
  return Array.isArray(operand)
    ? operand.map((element) => context.compile(element))
    : [context.compile(operand)];
}

function times(count: number): string {
  return `${count} ${count === 1 ? 'was' : 'were'} passed in.`;
}

/** An operator of exactly so many arguments. Throws 16020 for another number. */
export function fixed(name: string, count: number, evaluate: (...values: Maybe[]) => Maybe): Operator {
  return (operand, context) => {
    const parts = expressions(operand, context);
    if (parts.length !== count) {
      throw new MongoError(
        16020,
        `Expression ${name} takes exactly ${count} arguments. ${times(parts.length)}`,
      );
    }
    return (scope) => evaluate(...parts.map((part) => part(scope)));
  };
}

/** An operator of `min` to `max` arguments. Throws 28667 for another number. */
export function ranged(
  name: string,
  min: number,
  max: number,
  evaluate: (values: Maybe[]) => Maybe,
): Operator {
  return (operand, context) => {
    const parts = expressions(operand, context);
    if (parts.length < min || parts.length > max) {
      throw new MongoError(
        28667,
        `Expression ${name} takes at least ${min} arguments, and at most ${max}, but ${times(parts.length)}`,
      );
    }
    return (scope) => evaluate(parts.map((part) => part(scope)));
  };
}

/** An operator of any number of arguments. */
export function variadic(evaluate: (values: Maybe[]) => Maybe): Operator {
  return (operand, context) => {
    const parts = expressions(operand, context);
    return (scope) => evaluate(parts.map((part) => part(scope)));
  };
}

/** The fields of an operand document. Throws when it is none, lacks a required field or has another; one code may do for all. */
export function namedArguments(
  name: string,
  operand: Value,
  code: number | ArgumentCodes,
  required: readonly string[],
  optional: readonly string[] = [],
): Doc {
  const codes = typeof code === 'number' ? { notAnObject: code, unknown: code, missing: code } : code;
  if (!(operand instanceof Map))
    throw new MongoError(codes.notAnObject, `${name} only supports an object as its argument`);
  for (const field of operand.keys()) {
    if (!required.includes(field) && !optional.includes(field)) {
      throw new MongoError(codes.unknown, `Unrecognized parameter to ${name}: ${field}`);
    }
  }
  for (const field of required) {
    if (operand.has(field)) continue;
    const { missing } = codes;
    throw new MongoError(
      typeof missing === 'number' ? missing : (missing[field] ?? codes.unknown),
      `Missing '${field}' parameter to ${name}`,
    );
  }
  return operand;
}

/** An operator whose arguments have names. A missing optional one is undefined. */
export function named(
  name: string,
  code: number | ArgumentCodes,
  required: readonly string[],
  optional: readonly string[],
  evaluate: (value: (field: string) => Maybe, scope: Scope) => Maybe,
): Operator {
  return (operand, context) => {
    const fields = new Map<string, Expr>();
    for (const [field, spec] of namedArguments(name, operand, code, required, optional)) {
      fields.set(field, context.compile(spec));
    }
    return (scope) => evaluate((field) => fields.get(field)?.(scope), scope);
  };
}
