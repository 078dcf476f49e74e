import { compilePipeline } from '../aggregate/pipeline.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { Catalog } from '../storage/catalog.js';
import { assertCollectionName } from '../storage/namespace.js';
import { arrayArgument, stringArgument } from './arguments.js';
import { VALIDATION_OPTIONS } from './validation.js';

const MAX_VIEW_DEPTH = 20;

/** The options of a view that `create` is to make; undefined for a collection. Throws for what no view can be. */
export function readViewDefinition(
  { name, database, body }: { name: string; database: string; body: Doc },
  catalog: Catalog,
): Doc | undefined {
  const pipeline = arrayArgument(body, 'create', 'pipeline');
  if (!body.has('viewOn')) {
    if (!pipeline) return undefined;
    throw new MongoError(ErrorCode.InvalidOptions, "'pipeline' requires 'viewOn' to also be specified");
  }
  const viewOn = stringArgument(body, 'create', 'viewOn');
  assertCollectionName(database, viewOn);
  const validation = VALIDATION_OPTIONS.find((option) => body.has(option));
  if (validation !== undefined) {
    throw new MongoError(ErrorCode.OptionNotSupportedOnView, `'${validation}' is not allowed on a view`);
  }
  const definition = new Map<string, Value>([
    ['viewOn', viewOn],
    ['pipeline', pipeline ?? []],
  ]);
  compilePipeline(pipeline ?? [], { find: () => [], now: new Date() });
  if (readsFrom(catalog, database, definition, name)) {
    throw new MongoError(ErrorCode.GraphContainsCycle, `View cycle detected: ${database}.${name}`);
  }
  return definition;
}

/** Whether a view reads, by way of other views too, what has that name. */
function readsFrom(catalog: Catalog, database: string, view: Doc, name: string): boolean {
  const seen = new Set<string>();
  const waiting = [...sourcesOf(view)];
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (source === name) return true;
    const options = catalog.view(database, source)?.options;
    if (options && !seen.has(source)) waiting.push(...sourcesOf(options));
    seen.add(source);
  }
  return false;
}

/** The collections that a view's definition, or a part of it, names. */
function* sourcesOf(value: Value): Generator<string> {
  if (Array.isArray(value)) for (const element of value) yield* sourcesOf(element);
  if (!isDoc(value)) return;
  for (const [field, inner] of value) {
    const names = isDoc(inner) ? [inner.get('from'), inner.get('coll')] : [inner];
    if (field === 'viewOn' || field === '$lookup' || field === '$unionWith')
      yield* names.filter((name) => typeof name === 'string');
    yield* sourcesOf(inner);
  }
}

/**
 * The collection below a view, or below views on views, and the stages that make the view of it; a collection is its own
 * source. Throws ViewDepthLimitExceeded (165).
 */
export function resolveView(
  catalog: Catalog,
  database: string,
  name: string,
): { source: string; stages: Value[] } {
  const stages: Value[] = [];
  let source = name;
  for (let depth = 0; depth <= MAX_VIEW_DEPTH; depth++) {
    const view = catalog.view(database, source)?.options;
    const [viewOn, pipeline] = [view?.get('viewOn'), view?.get('pipeline')];
    if (typeof viewOn !== 'string' || !Array.isArray(pipeline)) return { source, stages };
    stages.unshift(...pipeline);
    source = viewOn;
  }
  throw new MongoError(
    ErrorCode.ViewDepthLimitExceeded,
    `View depth too deep or view cycle detected; maximum depth is ${MAX_VIEW_DEPTH}`,
  );
}
