import { Int32 } from 'bson';
import { compareValues } from '../../bson/compare.js';
import { UNDEFINED, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { isTrue } from '../../query/numbers.js';
import { SWITCH_BRANCH } from '../argument-codes.js';
import { expressions, fixed, isAbsent, type Maybe, namedArguments } from '../arguments.js';
import type { CompileContext, Expr, Operator, OperatorTable } from '../scope.js';

/** In expressions a missing field is below null, and every type can be compared with every other. */
export function compareMaybe(a: Maybe, b: Maybe): number {
  return compareValues(a === undefined ? UNDEFINED : a, b === undefined ? UNDEFINED : b);
}

function comparing(name: string, answer: (order: number) => boolean): Operator {
  return fixed(name, 2, (a, b) => answer(compareMaybe(a, b)));
}

/** Both stop at the first argument that decides. */
function and(operand: Value, context: CompileContext): Expr {
  const parts = expressions(operand, context);
  return (scope) => parts.every((part) => isTrue(part(scope)));
}

function or(operand: Value, context: CompileContext): Expr {
  const parts = expressions(operand, context);
  return (scope) => parts.some((part) => isTrue(part(scope)));
}

const CONDITION_PARTS = ['if', 'then', 'else'] as const;

function condition(operand: Value, context: CompileContext): Expr {
  const [test, yes, no] = conditionParts(operand).map((part) => context.compile(part));
  if (!test || !yes || !no) throw new MongoError(16020, 'Expression $cond takes exactly 3 arguments.');
  return (scope) => (isTrue(test(scope)) ? yes(scope) : no(scope));
}

function conditionParts(operand: Value): Value[] {
  if (operand instanceof Map) {
    for (const field of operand.keys()) {
      if (field !== 'if' && field !== 'then' && field !== 'else') {
        throw new MongoError(17083, `Unrecognized parameter to $cond: ${field}`);
      }
    }
    return CONDITION_PARTS.map((field, i) => {
      const part = operand.get(field);
      if (part === undefined) throw new MongoError(17080 + i, `Missing '${field}' parameter to $cond`);
      return part;
    });
  }
  const parts = Array.isArray(operand) ? operand : [operand];
  if (parts.length === 3) return parts;
  throw new MongoError(16020, `Expression $cond takes exactly 3 arguments. ${parts.length} were passed in.`);
}

function ifNull(operand: Value, context: CompileContext): Expr {
  const parts = expressions(operand, context);
  if (parts.length < 2) {
    throw new MongoError(1257300, `$ifNull needs at least two arguments, had: ${parts.length}`);
  }
  const fallback = parts.pop();
  return (scope) => {
    for (const part of parts) {
      const value = part(scope);
      if (!isAbsent(value)) return value;
    }
    return fallback?.(scope);
  };
}

function switchOf(operand: Value, context: CompileContext): Expr {
  if (!(operand instanceof Map)) {
    throw new MongoError(40060, '$switch requires an object as an argument');
  }
  for (const field of operand.keys()) {
    if (field !== 'branches' && field !== 'default') {
      throw new MongoError(40067, `$switch found an unknown argument: ${field}`);
    }
  }
  const specs = operand.get('branches');
  if (!Array.isArray(specs)) throw new MongoError(40061, "$switch expected an array for 'branches'");
  if (specs.length === 0) throw new MongoError(40068, '$switch requires at least one branch.');
  const branches = specs.map((spec) => {
    const branch = namedArguments('$switch branch', spec, SWITCH_BRANCH, ['case', 'then']);
    return {
      test: context.compile(branch.get('case') ?? null),
      result: context.compile(branch.get('then') ?? null),
    };
  });
  const fallback = operand.get('default');
  const otherwise = fallback === undefined ? undefined : context.compile(fallback);
  return (scope) => {
    const branch = branches.find(({ test }) => isTrue(test(scope)));
    if (branch) return branch.result(scope);
    if (otherwise) return otherwise(scope);
    throw new MongoError(
      40066,
      '$switch could not find a matching branch for an input, and no default was specified.',
    );
  };
}

export const logicOperators: OperatorTable = {
  $cmp: fixed('$cmp', 2, (a, b) => new Int32(Math.sign(compareMaybe(a, b)))),
  $eq: comparing('$eq', (order) => order === 0),
  $ne: comparing('$ne', (order) => order !== 0),
  $gt: comparing('$gt', (order) => order > 0),
  $gte: comparing('$gte', (order) => order >= 0),
  $lt: comparing('$lt', (order) => order < 0),
  $lte: comparing('$lte', (order) => order <= 0),
  $and: and,
  $or: or,
  $not: fixed('$not', 1, (value) => !isTrue(value)),
  $cond: condition,
  $ifNull: ifNull,
  $switch: switchOf,
};
