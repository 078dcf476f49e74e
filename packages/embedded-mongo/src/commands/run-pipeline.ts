import { compileExpression } from '../aggregate/expression.js';
import { compilePipeline, type PipelineEnvironment } from '../aggregate/pipeline.js';
import { scopeOf } from '../aggregate/scope.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { parseCollation } from '../query/collation.js';
import type { CommandContext, CommandRequest } from './command.js';
import { assertCollatable } from './collatable-stages.js';
import { countPipeline } from './count-pipeline.js';
import { Finder, type FindSpec } from './find-documents.js';
import { hintArgument, letVariables } from './find.js';
import { resolveView } from './view-definition.js';

/** The documents that a pipeline ends with, read as they are asked for. Without a name there is no collection to read. */
export function runPipeline(
  stages: readonly Value[],
  name: string | undefined,
  request: CommandRequest,
  context: CommandContext,
): Iterable<Doc> {
  assertNoChangeStream(stages);
  const run = new PipelineRun(request, context);
  if (run.environment.text) {
    assertCollatable(stages);
    if (name !== undefined && context.catalog.view(request.database, name)) {
      throw new MongoError(
        ErrorCode.OptionNotSupportedOnView,
        `Cannot override a view's default collation: ${request.database}.${name}`,
      );
    }
  }
  return name === undefined ? run.withoutCollection(stages) : run.over(name, stages);
}

/** As a standalone MongoDB answers. */
function assertNoChangeStream([first]: readonly Value[]): void {
  if (isDoc(first) && first.has('$changeStream')) {
    throw new MongoError(40573, 'The $changeStream stage is only supported on replica sets');
  }
}

/** What the parts of one aggregation share: its time, its variables, its collation. */
class PipelineRun {
  readonly environment: PipelineEnvironment;

  constructor(
    private readonly request: CommandRequest,
    private readonly context: CommandContext,
  ) {
    const now = new Date();
    const variables = letVariables(request.body, 'aggregate', now);
    const text = parseCollation(request.body.get('collation'));
    this.environment = {
      find: (from, filter) => this.joined(from, filter),
      now,
      ...(variables ? { variables } : {}),
      ...(text ? { text } : {}),
    };
  }

  over(name: string, given: readonly Value[]): Iterable<Doc> {
    const { source, stages: ofView } = resolveView(this.context.catalog, this.request.database, name);
    const stages = [...ofView, ...given];
    const pipeline = compilePipeline(stages, this.environment);
    const collection = this.context.catalog.collection(this.request.database, source);
    const hint = hintArgument(this.request.body);
    const counting = countPipeline(stages);
    if (counting && collection)
      return counting.reply(this.finder({ ...counting.spec, hint }).count(collection));
    const finder = this.finder({ filter: pipeline.leadingMatch ?? new Map<string, Value>(), hint });
    return pipeline.run(collection ? finder.documents(collection) : []);
  }

  /** What `$lookup` and `$unionWith` read. */
  private joined(from: string, filter: Doc): Iterable<Doc> {
    const { database } = this.request;
    const { source, stages } = resolveView(this.context.catalog, database, from);
    const collection = this.context.catalog.collection(database, source);
    if (!collection) return [];
    if (stages.length === 0) return this.finder({ filter }).documents(collection);
    const pipeline = compilePipeline([...stages, new Map([['$match', filter]])], this.environment);
    const leading = this.finder({ filter: pipeline.leadingMatch ?? new Map<string, Value>() });
    return pipeline.run(leading.documents(collection));
  }

  private finder(spec: Pick<FindSpec, 'filter' | 'skip' | 'limit' | 'hint'>): Finder {
    const { variables, text } = this.environment;
    return new Finder(this.context, { ...spec, variables, text, deadline: this.request.deadline });
  }

  withoutCollection([first, ...rest]: readonly Value[]): Iterable<Doc> {
    if (!isDoc(first) || !(first.has('$documents') || first.has('$listLocalSessions'))) {
      throw new MongoError(
        ErrorCode.InvalidNamespace,
        "{aggregate: 1} is not valid for this pipeline: only one that begins with '$documents' or '$listLocalSessions' is supported",
      );
    }
    const given = first.get('$documents');
    const source = given === undefined ? this.sessions() : this.givenDocuments(given);
    return compilePipeline(rest, this.environment).run(source);
  }

  private givenDocuments(spec: Value): Doc[] {
    const { now, variables = new Map<string, Value>() } = this.environment;
    const given = compileExpression(spec, variables.keys())(scopeOf(new Map(), now, variables));
    if (Array.isArray(given) && given.every(isDoc)) return given;
    throw new MongoError(5858203, 'an array of objects is expected for $documents');
  }

  /** Of all sessions only this one is known. */
  private sessions(): Doc[] {
    const session = this.request.body.get('lsid');
    if (!isDoc(session)) return [];
    return [
      new Map<string, Value>([
        ['_id', session],
        ['lastUse', this.environment.now],
      ]),
    ];
  }
}
