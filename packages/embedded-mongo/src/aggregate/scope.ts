import type { Doc, Value } from '../bson/values.js';

/** What an expression sees while it is evaluated. Immutable: `bind` makes a new one. */
export interface Scope {
  readonly root: Doc;
  readonly now: Date;
  readonly variable?: Binding;
}

interface Binding {
  readonly name: string;
  readonly value: Value | undefined;
  readonly next: Binding | undefined;
}

/** An evaluated expression; undefined means that it gives no value ("missing"). */
export type Expr = (scope: Scope) => Value | undefined;

/** An operator such as `$add`, compiled from its operand. */
export type Operator = (operand: Value, context: CompileContext) => Expr;
export type OperatorTable = Readonly<Record<string, Operator>>;

export interface CompileContext {
  /** Names that `$$name` may refer to here. */
  readonly variables: ReadonlySet<string>;
  compile(spec: Value): Expr;
  /** The same with further variables, for the inner expressions of `$let`, `$map`, `$filter`, `$reduce`. */
  withVariables(names: readonly string[]): CompileContext;
}

export function bind(scope: Scope, name: string, value: Value | undefined): Scope {
  return { ...scope, variable: { name, value, next: scope.variable } };
}

export function variableOf(scope: Scope, name: string): Value | undefined {
  for (let binding = scope.variable; binding; binding = binding.next) {
    if (binding.name === name) return binding.value;
  }
  return undefined;
}

/** The scope of one document with the command's own variables. */
export function scopeOf(root: Doc, now: Date, variables: Doc): Scope {
  let scope: Scope = { root, now };
  for (const [name, value] of variables) scope = bind(scope, name, value);
  return scope;
}
