import { approximateSize } from '../../bson/size.js';
import { isRegex, typeName, type Doc, type Value } from '../../bson/values.js';
import { ErrorCode, MongoError } from '../../errors.js';
import { parsePath, type Path, visitPath } from '../../path.js';
import { compileExpression } from '../expression.js';
import { checkedFieldPath } from '../field-path.js';
import { MemoryBudget } from '../memory-budget.js';
import type { Expr } from '../scope.js';
import type { RunStage, StageContext } from '../stage.js';

interface Lookup {
  readonly from: string;
  readonly as: readonly string[];
  readonly equality: { readonly local: Path; readonly foreign: string } | undefined;
  readonly variables: readonly (readonly [string, Expr])[];
  readonly pipeline: readonly Value[];
}

const OPTIONS = new Set(['from', 'as', 'localField', 'foreignField', 'let', 'pipeline']);

/** `$lookup`: by equality of two fields, by a pipeline with variables, or both. */
export function lookup(spec: Value, context: StageContext): RunStage {
  const options = parseLookup(spec, context);
  const names = new Map(options.variables.map(([name]) => [name, null as Value]));
  context.compileStages(options.pipeline, names);
  return function* run(source) {
    for (const doc of source) yield withJoined(doc, options, context);
  };
}

function withJoined(doc: Doc, options: Lookup, context: StageContext): Doc {
  const filter = options.equality
    ? equalityFilter(doc, options.equality.local, options.equality.foreign)
    : new Map<string, Value>();
  const found = context.environment.find(options.from, filter);
  const joined = options.pipeline.length === 0 ? [...found] : [...pipelineFor(doc, options, context)(found)];
  return setCopying(doc, options.as, joined);
}

function pipelineFor(doc: Doc, options: Lookup, context: StageContext): RunStage {
  const scope = context.scope(doc);
  const values: Doc = new Map();
  for (const [name, expr] of options.variables) {
    const value = expr(scope);
    if (value !== undefined) values.set(name, value);
  }
  return context.compileStages(options.pipeline, values);
}

/** A missing local field counts as null, an array as each of its elements. */
function equalityFilter(doc: Doc, local: Path, foreign: string): Doc {
  const values: Value[] = [];
  visitPath(doc, local, false, (value) => {
    if (Array.isArray(value)) values.push(...value);
    else if (value !== undefined) values.push(value);
    return false;
  });
  if (values.length === 0) values.push(null);
  // In $in a regular expression would match strings; here it only equals itself.
  if (values.some((value) => isRegex(value)) || values.length === 1) {
    return new Map([['$or', values.map((value) => new Map([[foreign, new Map([['$eq', value]])]]))]]);
  }
  return new Map([[foreign, new Map([['$in', values]])]]);
}

function setCopying(doc: Doc, path: readonly string[], value: Value): Doc {
  const [part = '', ...rest] = path;
  const result = new Map(doc);
  const child = doc.get(part);
  result.set(
    part,
    rest.length === 0 ? value : setCopying(child instanceof Map ? child : new Map(), rest, value),
  );
  return result;
}

function failedToParse(message: string): MongoError {
  return new MongoError(ErrorCode.FailedToParse, message);
}

function parseLookup(spec: Value, context: StageContext): Lookup {
  if (!(spec instanceof Map))
    throw failedToParse(`the $lookup specification must be an object, but found ${typeName(spec)}`);
  for (const name of spec.keys())
    if (!OPTIONS.has(name)) throw failedToParse(`unknown argument to $lookup: ${name}`);
  const from = text(spec, 'from');
  const as = text(spec, 'as');
  const local = text(spec, 'localField');
  const foreign = text(spec, 'foreignField');
  const pipeline = spec.get('pipeline');
  if (as === undefined) throw failedToParse("must specify 'as' field for a $lookup");
  if (from === undefined) throw failedToParse("must specify 'from' field for a $lookup");
  if ((local === undefined) !== (foreign === undefined)) {
    throw failedToParse(
      "$lookup requires both or neither of 'localField' and 'foreignField' to be specified",
    );
  }
  if (local === undefined && pipeline === undefined) {
    throw failedToParse(
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    );
  }
  if (pipeline !== undefined && !Array.isArray(pipeline))
    throw new MongoError(ErrorCode.TypeMismatch, "'pipeline' option must be specified as an array");
  if (spec.has('let') && pipeline === undefined)
    throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'");
  return {
    from,
    as: checkedFieldPath(as),
    equality:
      local === undefined || foreign === undefined
        ? undefined
        : { local: parsePath(checkedPath(local)), foreign: checkedPath(foreign) },
    variables: letVariables(spec.get('let'), context),
    pipeline: pipeline ?? [],
  };
}

function checkedPath(path: string): string {
  checkedFieldPath(path);
  return path;
}

function text(spec: Doc, name: string): string | undefined {
  const value = spec.get(name);
  if (value === undefined || typeof value === 'string') return value;
  throw failedToParse(`$lookup argument '${name}' must be a string, found ${typeName(value)}`);
}

function letVariables(spec: Value | undefined, context: StageContext): [string, Expr][] {
  if (spec === undefined) return [];
  if (!(spec instanceof Map))
    throw failedToParse(`$lookup argument 'let: ' must be an object, is type ${typeName(spec)}`);
  return [...spec].map(([name, value]) => {
    if (!/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) {
      throw failedToParse(`'${name}' starts with an invalid character for a user variable name`);
    }
    return [name, compileExpression(value, context.variableNames)];
  });
}

/** `$unionWith: 'collection'` or `{ coll, pipeline }`. */
export function unionWith(spec: Value, context: StageContext): RunStage {
  const isDoc = spec instanceof Map;
  const collection = isDoc ? spec.get('coll') : spec;
  const pipeline = isDoc ? (spec.get('pipeline') ?? []) : [];
  if (typeof collection !== 'string' || !Array.isArray(pipeline)) {
    throw failedToParse('the $unionWith stage specification must be an object or string');
  }
  const stages = context.compileStages(pipeline);
  return function* run(source) {
    yield* source;
    yield* stages(context.environment.find(collection, new Map()));
  };
}

/** `$facet`: several pipelines over the same documents, which are all held in memory. */
export function facet(spec: Value, context: StageContext): RunStage {
  if (!(spec instanceof Map) || spec.size === 0) {
    throw new MongoError(
      40169,
      `the $facet specification must be a non-empty object, but found ${typeName(spec)}`,
    );
  }
  const facets = [...spec].map(([name, stages]) => {
    checkedFieldPath(name);
    if (name.includes('.'))
      throw new MongoError(ErrorCode.FailedToParse, "FieldPath field names may not contain '.'");
    if (!Array.isArray(stages)) {
      throw new MongoError(40170, `arguments to $facet must be arrays, ${name} is type ${typeName(stages)}`);
    }
    return [name, context.compileStages(stages)] as const;
  });
  return function* run(source) {
    const { memoryLimit } = context.environment;
    const docs = held(source, new MemoryBudget('$facet', memoryLimit));
    const output = new MemoryBudget('$facet', memoryLimit);
    yield new Map(facets.map(([name, stages]) => [name, held(stages(docs), output)]));
  };
}

function held(source: Iterable<Doc>, budget: MemoryBudget): Doc[] {
  const docs: Doc[] = [];
  for (const doc of source) {
    budget.take(approximateSize(doc));
    docs.push(doc);
  }
  return docs;
}
