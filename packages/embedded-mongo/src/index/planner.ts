import { isDoc, isDouble, isInt32, isLong, type Doc, type Value } from '../bson/values.js';
import { compareValues } from '../bson/compare.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { BtreeIndex } from './btree-index.js';
import { isOrdered } from './bounds.js';
import { indexBounds, type IndexBounds, type KeyRange } from './key-ranges.js';
import { implies, impliesPartial } from './partial.js';
import { analyse, type Analysis, type Predicate } from './predicates.js';

export interface IndexPlan {
  readonly kind: 'index';
  readonly index: BtreeIndex;
  readonly ranges: readonly KeyRange[];
  readonly reverse: boolean;
  /** The ranges hold exactly what the filter matches: documents need not be looked at. */
  readonly exact: boolean;
  /** Documents come in the order that was asked for. */
  readonly sorted: boolean;
}

export interface CollectionPlan {
  readonly kind: 'collection';
  readonly reverse: boolean;
  readonly exact: boolean;
  readonly sorted: boolean;
}

/** An `$or` each of whose branches has an index. */
export interface UnionPlan {
  readonly kind: 'union';
  readonly branches: readonly IndexPlan[];
  readonly exact: false;
  readonly sorted: boolean;
}

export type Plan = IndexPlan | CollectionPlan | UnionPlan;

export interface Wanted {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly hint?: Value | undefined;
  /** Few documents are wanted: coming in the right order counts for more. */
  readonly limited?: boolean | undefined;
}

const POINT_FIELD = 10;
const UNIQUE_LOOKUP = 1_000;
const RANGE = 4;
const SORTED = 3;
const SORTED_AND_LIMITED = 6;

/** Chooses how to find the documents. Throws BadValue (2) for a hint that names no index. */
export function planQuery(indexes: readonly BtreeIndex[], wanted: Wanted): Plan {
  const analysis = analyse(wanted.filter);
  const hint = wanted.hint === undefined ? undefined : hintedIndex(indexes, wanted.hint);
  if (hint === 'natural') return collectionPlan(wanted, analysis);
  if (hint) return hintedPlan(hint, wanted, analysis);
  let best: Plan = collectionPlan(wanted, analysis);
  let bestScore = 0;
  for (const index of indexes) {
    if (index.building) continue;
    const bounds = usableBounds(index, analysis.predicates);
    if (!bounds) continue;
    const plan = indexPlan(index, bounds, wanted, analysis);
    const score = scoreOf(plan, bounds, wanted);
    if (score > bestScore) [best, bestScore] = [plan, score];
  }
  return bestScore >= RANGE ? best : (unionPlan(indexes, wanted) ?? best);
}

/** The rest of the filter is AND-ed to every branch, so that it may help to bound the index. */
function unionPlan(indexes: readonly BtreeIndex[], { filter, sort }: Wanted): UnionPlan | undefined {
  const clauses = filter.get('$or');
  if (!Array.isArray(clauses)) return undefined;
  const rest: Doc = new Map([...filter].filter(([key]) => key !== '$or'));
  const branches: IndexPlan[] = [];
  for (const clause of clauses) {
    if (!isDoc(clause)) return undefined;
    const plan = planQuery(indexes, { filter: new Map([['$and', [rest, clause]]]) });
    if (plan.kind !== 'index') return undefined;
    branches.push(plan);
  }
  return { kind: 'union', branches, exact: false, sorted: !sort };
}

function scoreOf(plan: IndexPlan, bounds: IndexBounds, wanted: Wanted): number {
  const { unique, fields } = plan.index.definition;
  let score = bounds.pointFields * POINT_FIELD;
  if (unique && bounds.pointFields === fields.length) score += UNIQUE_LOOKUP;
  if (bounds.fields.length > bounds.pointFields) score += RANGE;
  if (wanted.sort && plan.sorted) score += wanted.limited ? SORTED_AND_LIMITED : SORTED;
  return score;
}

function collectionPlan(wanted: Wanted, analysis: Analysis): CollectionPlan {
  const natural = naturalOrder(wanted.sort) ?? (isDoc(wanted.hint) ? naturalOrder(wanted.hint) : undefined);
  const exact = analysis.complete && analysis.predicates.length === 0;
  return {
    kind: 'collection',
    reverse: natural === -1,
    exact,
    sorted: !wanted.sort || naturalOrder(wanted.sort) !== undefined,
  };
}

function naturalOrder(spec: Doc | undefined): 1 | -1 | undefined {
  const order = spec?.get('$natural');
  return order === undefined ? undefined : directionOf(order);
}

/** A hinted sparse or partial index is read even where documents that match are not in it. */
function hintedPlan(index: BtreeIndex, wanted: Wanted, analysis: Analysis): IndexPlan {
  return indexPlan(index, indexBounds(index, analysis.predicates), wanted, analysis);
}

function usableBounds(index: BtreeIndex, predicates: readonly Predicate[]): IndexBounds | undefined {
  const { partial, sparse } = index.definition;
  if (partial && !impliesPartial(predicates, partial)) return undefined;
  const bounds = indexBounds(index, predicates);
  if (sparse && !bounds.fields.some((field) => field.exact.length > 0)) return undefined;
  return bounds;
}

function indexPlan(index: BtreeIndex, bounds: IndexBounds, wanted: Wanted, analysis: Analysis): IndexPlan {
  const direction = wanted.sort ? sortDirection(index, bounds, wanted.sort) : 1;
  return {
    kind: 'index',
    index,
    ranges: bounds.ranges,
    reverse: direction === -1,
    exact: analysis.complete && analysis.predicates.every((predicate) => isCovered(predicate, index, bounds)),
    sorted: direction !== undefined,
  };
}

function isCovered(predicate: Predicate, index: BtreeIndex, bounds: IndexBounds): boolean {
  if (bounds.exact.has(predicate)) return true;
  const { partial } = index.definition;
  if (!partial) return false;
  return analyse(partial).predicates.some(
    (known) => known.path === predicate.path && isOrdered(predicate.operand) && implies(known, predicate),
  );
}

/** 1 when the index, restricted so, yields that order read forwards, -1 backwards, undefined when neither. */
function sortDirection(index: BtreeIndex, bounds: IndexBounds, sort: Doc): 1 | -1 | undefined {
  if (index.truncated || !bounds.singlePoint) return undefined;
  const { fields } = index.definition;
  let position = 0;
  let direction: 1 | -1 | undefined;
  for (const [path, order] of sort) {
    const wanted = directionOf(order);
    if (wanted === undefined) return undefined;
    if (isFixed(index, bounds, path)) continue;
    while (position < bounds.pointFields && fields[position]?.path !== path) position++;
    const field = fields[position];
    if (field?.path !== path || (index.multikey & (1 << position)) !== 0) return undefined;
    const needed = (wanted === 1) === !field.descending ? 1 : -1;
    if (direction !== undefined && direction !== needed) return undefined;
    direction = needed;
    position++;
  }
  return direction ?? 1;
}

/** Whether all documents in the bounds have one and the same value there. */
function isFixed(index: BtreeIndex, bounds: IndexBounds, path: string): boolean {
  const position = index.definition.fields.findIndex((field) => field.path === path);
  return position >= 0 && position < bounds.pointFields && (index.multikey & (1 << position)) === 0;
}

function directionOf(order: Value): 1 | -1 | undefined {
  const number =
    isInt32(order) || isDouble(order) ? order.value : isLong(order) ? order.toNumber() : undefined;
  return number === 1 || number === -1 ? number : undefined;
}

function hintedIndex(indexes: readonly BtreeIndex[], hint: Value): BtreeIndex | 'natural' {
  if (isDoc(hint) && hint.has('$natural')) return 'natural';
  const index = indexes.find(({ building, definition }) =>
    building
      ? false
      : typeof hint === 'string'
        ? definition.name === hint
        : isDoc(hint) && compareValues(definition.key, hint) === 0 && sameOrder(definition.key, hint),
  );
  if (index) return index;
  throw new MongoError(
    ErrorCode.BadValue,
    'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
  );
}

function sameOrder(left: Doc, right: Doc): boolean {
  const names = [...right.keys()];
  return [...left.keys()].every((name, position) => names[position] === name);
}
