import { compileExpression } from '../aggregate/expression.js';
import { scopeOf } from '../aggregate/scope.js';
import type { Value } from '../bson/values.js';
import type { QueryContext } from './compile.js';
import type { DocTest } from './field-test.js';
import { isTrue } from './numbers.js';

/** `$expr`: the document matches when the aggregation expression gives something true. */
export function exprTest(operand: Value, context: QueryContext): DocTest {
  const variables = context.variables ?? new Map<string, Value>();
  const expr = compileExpression(operand, variables.keys());
  const now = context.now ?? new Date();
  return (doc) => isTrue(expr(scopeOf(doc, now, variables)));
}
