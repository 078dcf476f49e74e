import { scopeOf } from './aggregate/scope.js';
import type { Doc, Value } from './bson/values.js';
import { ErrorCode, MongoError } from './errors.js';
import { applyProjection } from './projection-apply.js';
import { type Branch, type Leaf, parseProjection, sliceLeaf } from './projection-parse.js';
import { compileQuery, type Query } from './query/compile.js';
import { parsePath } from './path.js';
import { atPath, type Found } from './query/field-test.js';
import { parseField } from './query/field.js';

export interface ProjectionContext {
  readonly now?: Date;
  readonly variables?: Doc;
}

/**
 * The projection of find and findAndModify: inclusion, exclusion, `$slice`, `$elemMatch`, positional `a.$`, expressions.
 * `query` is needed for the positional form only. The result shares untouched values with the document.
 */
export function compileProjection(
  spec: Doc,
  query?: Query,
  context: ProjectionContext = {},
): (doc: Doc) => Doc {
  if (spec.size === 0) return (doc) => doc;
  const variables = context.variables ?? new Map<string, Value>();
  const projection = parseProjection(spec, { operatorLeaf, positional: true, variables: variables.keys() });
  const now = context.now ?? new Date();
  const positional = positionalPath(projection.root);
  const elemMatches = [...projection.root.children].flatMap(([name, child]) =>
    child.kind === 'elemMatch' ? [elemMatch(name, child.condition)] : [],
  );
  return (doc) => {
    const result = applyProjection(projection, doc, scopeOf(doc, now, variables));
    for (const add of elemMatches) add(doc, result);
    return positional ? cutToPosition(result, positional, query?.matchPosition(doc)) : result;
  };
}

function operatorLeaf(path: string, operators: Doc): Leaf | undefined {
  const [[name, operand] = ['', null]] = operators;
  if (name === '$slice') return sliceLeaf(operand);
  if (name === '$meta') throw new MongoError(ErrorCode.NotImplemented, 'projecting $meta is not supported');
  if (name !== '$elemMatch') return undefined;
  if (!(operand instanceof Map))
    throw new MongoError(31274, 'elemMatch: Invalid argument, object required, but got other');
  if (path.includes('.')) throw new MongoError(31275, 'Cannot use $elemMatch projection on a nested field.');
  return { kind: 'elemMatch', condition: operand };
}

function elemMatch(name: string, condition: Doc): (doc: Doc, result: Doc) => void {
  const spec: Doc = new Map([['$elemMatch', condition]]);
  const test = atPath(
    parsePath(name),
    parseField(name, spec, (filter) => {
      const query = compileQuery(filter);
      return (element) => query.matches(element);
    }),
  );
  return (doc, result) => {
    const found: Found = {};
    const array = doc.get(name);
    if (!Array.isArray(array) || !test(doc, found)) return;
    const element = array[found.position ?? -1];
    if (element !== undefined) result.set(name, [element]);
  };
}

function positionalPath(branch: Branch): string[] | undefined {
  for (const [name, child] of branch.children) {
    if (child.kind === 'positional') return [name];
    const below = child.kind === 'branch' ? positionalPath(child) : undefined;
    if (below) return [name, ...below];
  }
  return undefined;
}

/** Leaves of the first array along the path only the element that the query matched. */
function cutToPosition(result: Doc, path: readonly string[], position: number | undefined): Doc {
  const [name = '', ...rest] = path;
  const value = result.get(name);
  if (Array.isArray(value)) {
    const element = position === undefined ? undefined : value[position];
    if (element === undefined) {
      throw new MongoError(
        51246,
        "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
      );
    }
    return new Map(result).set(name, [element]);
  }
  return value instanceof Map ? new Map(result).set(name, cutToPosition(value, rest, position)) : result;
}
