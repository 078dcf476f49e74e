import { Long } from 'bson';
import type { Doc, Value } from '../bson/values.js';
import type { ReplyFields } from '../wire/reply.js';
import { booleanArgument, countArgument, docArgument, integerArgument, stringArgument } from './arguments.js';
import { openCursor } from './aggregate.js';
import type { CommandContext, CommandRequest } from './command.js';
import { distinctValues } from './distinct-values.js';
import { DEFAULT_FIRST_BATCH, refuseUnsupported } from './find.js';
import { runPipeline } from './run-pipeline.js';

type ViewReader = (request: CommandRequest, name: string, context: CommandContext) => ReplyFields;

/** The commands that read a view say what they want as stages after the view's own; `aggregate` does so anyway. */
const readers: ReadonlyMap<string, ViewReader> = new Map([
  ['find', findInView],
  ['count', countView],
  ['distinct', distinctOfView],
]);

/** The reply of a command that reads a view; undefined for any other command. */
export function readView(request: CommandRequest, context: CommandContext): ReplyFields | undefined {
  const name = request.body.get(request.name);
  const read = readers.get(request.name);
  if (!read || typeof name !== 'string' || !context.catalog.view(request.database, name)) return undefined;
  return read(request, name, context);
}

function findInView(request: CommandRequest, name: string, context: CommandContext): ReplyFields {
  const { body } = request;
  refuseUnsupported(body);
  const singleBatch = booleanArgument(body, 'find', 'singleBatch');
  const stages = [
    ...stage('$match', docArgument(body, 'find', 'filter')),
    ...stage('$sort', docArgument(body, 'find', 'sort')),
    ...windowOf(body, 'find'),
    ...stage('$project', docArgument(body, 'find', 'projection')),
  ];
  const batchSize = countArgument(body, 'find', 'batchSize') ?? DEFAULT_FIRST_BATCH;
  const lasting = booleanArgument(body, 'find', 'noCursorTimeout');
  const docs = runPipeline(stages, name, request, context);
  return openCursor(docs, request, context, { batchSize, singleBatch, lasting });
}

function countView(request: CommandRequest, name: string, context: CommandContext): ReplyFields {
  const stages = [
    ...stage('$match', docArgument(request.body, 'count', 'query')),
    ...windowOf(request.body, 'count'),
    new Map([['$count', 'n']]),
  ];
  const [counted] = runPipeline(stages, name, request, context);
  return { n: counted?.get('n') ?? 0, ok: 1 };
}

function distinctOfView(request: CommandRequest, name: string, context: CommandContext): ReplyFields {
  const path = stringArgument(request.body, 'distinct', 'key');
  const stages = stage('$match', docArgument(request.body, 'distinct', 'query'));
  return { values: distinctValues(runPipeline(stages, name, request, context), path), ok: 1 };
}

function stage(name: string, spec: Doc | undefined): Value[] {
  return spec && spec.size > 0 ? [new Map([[name, spec]])] : [];
}

function windowOf(body: Doc, command: string): Value[] {
  const skip = countArgument(body, command, 'skip') ?? 0;
  // Only count takes a negative limit, as its positive one.
  const limit =
    command === 'find'
      ? (countArgument(body, command, 'limit') ?? 0)
      : Math.abs(integerArgument(body, command, 'limit') ?? 0);
  return [
    ...(skip > 0 ? [new Map([['$skip', Long.fromNumber(skip)]])] : []),
    ...(limit > 0 ? [new Map([['$limit', Long.fromNumber(limit)]])] : []),
  ];
}
