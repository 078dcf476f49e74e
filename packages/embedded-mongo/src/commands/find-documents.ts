import { decodeDoc } from '../bson/decode.js';
import { encodeDoc } from '../bson/encode.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { planQuery, type IndexPlan, type Plan } from '../index/planner.js';
import { RecordSet } from '../index/record-set.js';
import { scanIndex, scanPlan, type ScanStats } from '../index/scan.js';
import { compileProjection } from '../projection.js';
import { type TextOrder, unsupported } from '../query/collation.js';
import { compileQuery, type Query } from '../query/compile.js';
import { compileSort, type SortOrder } from '../sort.js';
import { collectionDropped, type Collection } from '../storage/collection.js';
import { Top } from '../top.js';
import type { CommandContext } from './command.js';
import type { Deadline } from './deadline.js';

/** What a sort without an index may take of memory, in bytes. MongoDB goes on on disk beyond its limit, this server refuses. */
const MAX_SORT_BYTES = 160 * 1024 * 1024;
/** What a document that waits to be sorted takes besides its own bytes, roughly. */
const SORT_OVERHEAD = 800;

export interface FindSpec {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly skip?: number | undefined;
  /** 0 or undefined: no limit. */
  readonly limit?: number | undefined;
  readonly projection?: Doc | undefined;
  readonly hint?: Value | undefined;
  /** The command's `let`, for expressions. */
  readonly variables?: Doc | undefined;
  readonly deadline: Deadline;
  /** The command's collation. */
  readonly text?: TextOrder | undefined;
}

/** A stored document, decoded when someone looks into it. */
export class Match {
  private decoded: Doc | undefined;

  constructor(
    readonly recordId: number,
    readonly raw: Buffer,
  ) {}

  get doc(): Doc {
    this.decoded ??= decodeDoc(this.raw);
    return this.decoded;
  }
}

/** Compiled once for a command; checks filter, sort and projection also when there is no collection. */
export class Finder {
  readonly query: Query;
  readonly stats: ScanStats = { keysExamined: 0, docsExamined: 0 };
  private readonly order: SortOrder | undefined;
  private readonly project: ((doc: Doc) => Doc) | undefined;

  constructor(
    private readonly context: CommandContext,
    readonly spec: FindSpec,
  ) {
    const scope = {
      ...(spec.variables ? { variables: spec.variables } : {}),
      ...(spec.text ? { text: spec.text } : {}),
    };
    if (spec.text && hasExpressions(spec.projection)) throw unsupported('a projection by expressions');
    this.query = compileQuery(spec.filter, scope);
    const sort = sortOf(spec);
    this.order = sort && !sort.has('$natural') ? compileSort(sort, spec.text) : undefined;
    this.project =
      spec.projection && spec.projection.size > 0
        ? compileProjection(spec.projection, this.query, scope)
        : undefined;
  }

  plan(collection: Collection): Plan {
    const { filter, hint, limit } = this.spec;
    const sort = sortOf(this.spec);
    if (!this.spec.text)
      return planQuery(collection.indexes, { filter, sort, hint, limited: Boolean(limit) });
    // Index entries are in the order of bytes: under a collation they tell nothing of strings.
    const natural = sort?.has('$natural') ? { sort } : {};
    const plan = planQuery(collection.indexes, { filter: new Map(), hint, ...natural });
    return { ...plan, exact: false, sorted: false };
  }

  /** Matching documents in the order asked for, after skip and limit. */
  *matches(collection: Collection, plan = this.plan(collection)): Generator<Match> {
    const { skip = 0, limit = 0 } = this.spec;
    const found = this.filtered(collection, plan);
    const ordered = this.order && !plan.sorted ? this.sorted(found, this.order) : found;
    let position = 0;
    for (const match of ordered) {
      if (position++ < skip) continue;
      yield match;
      if (limit > 0 && position >= skip + limit) return;
    }
  }

  /** The same as they are sent: projected, encoded. */
  *encoded(collection: Collection): Generator<Uint8Array> {
    for (const match of this.matches(collection))
      yield this.project ? encodeDoc(this.project(match.doc)) : match.raw;
  }

  *documents(collection: Collection): Generator<Doc> {
    for (const match of this.matches(collection)) yield match.doc;
  }

  /** How many `matches` would yield. Where the plan tells it alone no document is read. */
  count(collection: Collection): number {
    const { filter, skip = 0, limit = 0, hint } = this.spec;
    const plan = this.plan(collection);
    let found = 0;
    if (filter.size === 0 && hint === undefined) found = collection.count;
    else if (plan.kind === 'index' && plan.exact) found = this.countKeys(plan);
    else for (const _ of this.filtered(collection, plan)) found++;
    const rest = Math.max(0, found - skip);
    return limit > 0 ? Math.min(rest, limit) : rest;
  }

  private countKeys(plan: IndexPlan): number {
    const seen = new RecordSet();
    let found = 0;
    for (const recordId of scanIndex(this.context.environment, plan)) {
      this.spec.deadline.check();
      this.stats.keysExamined++;
      if (seen.add(recordId)) found++;
    }
    return found;
  }

  projected(doc: Doc): Doc {
    return this.project ? this.project(doc) : doc;
  }

  private *filtered(collection: Collection, plan: Plan): Generator<Match> {
    for (const { recordId, raw } of scanPlan(this.context.environment, collection, plan, this.stats)) {
      this.spec.deadline.check();
      if (collection.dropped) throw collectionDropped(collection);
      const match = new Match(recordId, raw);
      if (plan.exact || this.query.matches(match.doc)) yield match;
    }
  }

  private sorted(found: Iterable<Match>, order: SortOrder): Match[] {
    const { skip = 0, limit = 0 } = this.spec;
    const wanted = limit > 0 ? skip + limit : Infinity;
    const roots = [...(this.spec.sort?.keys() ?? [])].map((path) => path.split('.')[0] ?? path);
    const top = new Top<{ match: Match; key: Doc }>({
      wanted,
      order: (a, b) => order(a.key, b.key),
      size: ({ match }) => match.raw.length + SORT_OVERHEAD,
      maxBytes: MAX_SORT_BYTES,
      tooLarge: sortTooLarge,
    });
    for (const match of found) {
      const key = pick(match.doc, roots);
      order.enter(key);
      top.add({ match: new Match(match.recordId, match.raw), key });
    }
    return top.sorted().map(({ match }) => match);
  }
}

function hasExpressions(projection: Doc | undefined): boolean {
  return [...(projection?.values() ?? [])].some(
    (value) => isDoc(value) || Array.isArray(value) || typeof value === 'string',
  );
}

function sortOf({ sort }: FindSpec): Doc | undefined {
  return sort && sort.size > 0 ? sort : undefined;
}

/** Only what the sort looks at, so that whole decoded documents need not be kept. */
function pick(doc: Doc, roots: readonly string[]): Doc {
  const picked: Doc = new Map();
  for (const root of roots) {
    const value = doc.get(root);
    if (value !== undefined) picked.set(root, value);
  }
  return picked;
}

function sortTooLarge(): MongoError {
  return new MongoError(
    ErrorCode.QueryExceededMemoryLimitNoDiskUseAllowed,
    `Executor error during find command :: caused by :: Sort exceeded memory limit of ${MAX_SORT_BYTES} bytes; ` +
      'sorting on disk is not supported, create an index',
  );
}
