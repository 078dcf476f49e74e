import { display } from '../bson/display.js';
import type { Doc, Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { compileFieldPath } from './field-path.js';
import { operators } from './operator-table.js';
import type { CompileContext, Expr } from './scope.js';

const MAX_EXPRESSION_DEPTH = 200;

/**
 * Compiles an aggregation expression. `variables` are the names that `$$name` may use besides the built-in ones.
 * Throws InvalidPipelineOperator (168) for an unknown operator, 17276 for an unknown variable, 15983 for a document of
 * several operators, and the operators' own codes.
 */
export function compileExpression(spec: Value, variables: Iterable<string> = []): Expr {
  return contextOf(new Set(variables), 0).compile(spec);
}

function contextOf(variables: ReadonlySet<string>, depth: number): CompileContext {
  if (depth > MAX_EXPRESSION_DEPTH)
    throw new MongoError(ErrorCode.Overflow, 'the expression is nested too deeply');
  return {
    variables,
    compile: (spec) => compile(spec, contextOf(variables, depth + 1)),
    withVariables: (names) => contextOf(new Set([...variables, ...names]), depth),
  };
}

function compile(spec: Value, context: CompileContext): Expr {
  if (typeof spec === 'string' && spec.startsWith('$')) return compileFieldPath(spec, context);
  if (Array.isArray(spec)) {
    const elements = spec.map((element) => context.compile(element));
    return (scope) => elements.map((element) => element(scope) ?? null);
  }
  if (spec instanceof Map) return compileDocument(spec, context);
  return () => spec;
}

function compileDocument(spec: Doc, context: CompileContext): Expr {
  const first = spec.entries().next().value;
  if (first?.[0].startsWith('$') === true) {
    if (spec.size > 1) {
      throw new MongoError(
        15983,
        `An object representing an expression must have exactly one field: ${display(spec)}`,
      );
    }
    return compileOperator(first[0], first[1], context);
  }
  const fields = [...spec].map(([name, value]) => [checkedName(name), context.compile(value)] as const);
  return (scope) => {
    const doc: Doc = new Map();
    for (const [name, field] of fields) {
      const value = field(scope);
      if (value !== undefined) doc.set(name, value);
    }
    return doc;
  };
}

function compileOperator(name: string, operand: Value, context: CompileContext): Expr {
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (!operator) throw new MongoError(ErrorCode.InvalidPipelineOperator, `Unrecognized expression '${name}'`);
  return operator(operand, context);
}

function checkedName(name: string): string {
  if (name.includes('.')) {
    throw new MongoError(
      16405,
      `FieldPath field names may not contain '.'. Consider using $getField or $setField.`,
    );
  }
  if (name.startsWith('$')) {
    throw new MongoError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    );
  }
  return name;
}
