import { approximateSize } from '../../bson/size.js';
import type { Doc, Value } from '../../bson/values.js';
import { typeName } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { type Accumulator, accumulatorFactory } from '../accumulators.js';
import { compileExpression } from '../expression.js';
import {
  countOf,
  FirstValues,
  type FirstValuesName,
  isFirstValues,
  parseFirstValues,
} from '../first-values.js';
import { equalityKey } from '../../bson/equality-key.js';
import { MemoryBudget } from '../memory-budget.js';
import type { Expr } from '../scope.js';
import type { RunStage, StageContext } from '../stage.js';

/** What a group and each of its accumulators take besides what they hold, in bytes, roughly. */
const GROUP_OVERHEAD = 64;
const ACCUMULATOR_OVERHEAD = 64;

interface GroupField {
  readonly name: string;
  readonly expr: Expr;
  readonly create: (id: Value) => Accumulator;
}

interface Group {
  readonly id: Value;
  readonly accumulators: readonly Accumulator[];
}

/** `$group`. The groups come in the order in which their first documents came; all are held in memory. */
export function group(spec: Value, context: StageContext): RunStage {
  if (!(spec instanceof Map)) throw new MongoError(15947, "a group's fields must be specified in an object");
  const idSpec = spec.get('_id');
  if (idSpec === undefined) throw new MongoError(15955, 'a group specification must include an _id');
  const id = compileExpression(idSpec, context.variableNames);
  const fields = [...spec]
    .filter(([name]) => name !== '_id')
    .map(([name, value]) => parseField(name, value, context));
  return function* run(source) {
    const groups = new Map<string, Group>();
    const budget = new MemoryBudget('$group', context.environment.memoryLimit);
    for (const doc of source) {
      const scope = context.scope(doc);
      const { accumulators } = groupOf(groups, id(scope) ?? null, fields, budget);
      for (const [i, field] of fields.entries()) {
        const accumulator = accumulators[i];
        const before = accumulator?.bytes ?? 0;
        accumulator?.add(field.expr(scope));
        budget.take((accumulator?.bytes ?? 0) - before);
      }
    }
    for (const { id: key, accumulators } of groups.values()) yield resultOf(key, accumulators, fields);
  };
}

function groupOf(
  groups: Map<string, Group>,
  id: Value,
  fields: readonly GroupField[],
  budget: MemoryBudget,
): Group {
  const key = equalityKey(id);
  const existing = groups.get(key);
  if (existing) return existing;
  const created = { id, accumulators: fields.map((field) => field.create(id)) };
  groups.set(key, created);
  budget.take(key.length + approximateSize(id) + GROUP_OVERHEAD + fields.length * ACCUMULATOR_OVERHEAD);
  return created;
}

function resultOf(id: Value, accumulators: readonly Accumulator[], fields: readonly GroupField[]): Doc {
  const doc: Doc = new Map([['_id', id]]);
  for (const [i, field] of fields.entries()) doc.set(field.name, accumulators[i]?.result() ?? null);
  return doc;
}

function parseField(name: string, spec: Value, context: StageContext): GroupField {
  if (name.includes('.')) throw new MongoError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$'))
    throw new MongoError(40236, `The field name '${name}' cannot be an operator name`);
  if (!(spec instanceof Map))
    throw new MongoError(40234, `The field '${name}' must be an accumulator object`);
  const [entry] = spec;
  if (!entry || spec.size !== 1)
    throw new MongoError(40238, `The field '${name}' must specify one accumulator`);
  const [operator, operand] = entry;
  if (isFirstValues(operator)) return { name, ...firstValues(operator, operand, context) };
  const create = accumulatorFactory(operator);
  if (operator === '$count') checkCount(operand);
  if (Array.isArray(operand)) {
    const [only = null] = operand;
    if (operand.length !== 1) throw new MongoError(40237, `The ${operator} accumulator is a unary operator`);
    return { name, create, expr: compileExpression(only, context.variableNames) };
  }
  return { name, create, expr: compileExpression(operand, context.variableNames) };
}

/** How many values are wanted may depend on the group's `_id`, whose fields the expression sees. */
function firstValues(
  operator: FirstValuesName,
  operand: Value,
  context: StageContext,
): Pick<GroupField, 'expr' | 'create'> {
  const compiling = { compile: (spec: Value) => compileExpression(spec, context.variableNames) };
  const { input, n } = parseFirstValues(operator, operand, compiling);
  const nothing: Doc = new Map();
  const create = (id: Value) =>
    new FirstValues(operator, countOf(n(context.scope(id instanceof Map ? id : nothing))));
  return { expr: input, create };
}

function checkCount(operand: Value): void {
  if (operand instanceof Map && operand.size === 0) return;
  throw new MongoError(9, `$count takes no arguments, i.e. $count:{}, got ${typeName(operand)}`);
}
