import { encodeDoc } from '../bson/encode.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { compilePipeline } from '../aggregate/pipeline.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertSimpleCollation } from '../index/definition.js';
import {
  arrayArgument,
  booleanArgument,
  collectionName,
  countArgument,
  docArgument,
  missing,
} from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { firstBatch, hintArgument, notSupported } from './find.js';

const DEFAULT_FIRST_BATCH = 101;

export const aggregate: Command = {
  name: 'aggregate',
  kind: 'read',
  fields: [
    'pipeline',
    'cursor',
    'explain',
    'allowDiskUse',
    'bypassDocumentValidation',
    'hint',
    'collation',
    'let',
  ],
  run(request, context) {
    const { body, database, deadline } = request;
    if (typeof body.get('aggregate') !== 'string') {
      throw new MongoError(ErrorCode.NotImplemented, 'aggregate without a collection is not supported');
    }
    const name = collectionName(request);
    assertSimpleCollation(body.get('collation'));
    const stages = arrayArgument(body, 'aggregate', 'pipeline');
    if (!stages) throw missing('aggregate', 'pipeline');
    if (booleanArgument(body, 'aggregate', 'explain')) throw notSupported("aggregate's 'explain' option");
    const options = docArgument(body, 'aggregate', 'cursor');
    if (!options) {
      throw new MongoError(
        ErrorCode.FailedToParse,
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    }
    const cursor = context.cursors.create({
      namespace: `${database}.${name}`,
      documents: encoded(runPipeline(stages, name, request, context)),
      collection: context.catalog.collection(database, name),
      deadline,
    });
    return firstBatch(
      context,
      cursor,
      countArgument(options, 'aggregate.cursor', 'batchSize') ?? DEFAULT_FIRST_BATCH,
    );
  },
};

function runPipeline(
  stages: Value[],
  name: string,
  request: CommandRequest,
  context: CommandContext,
): Iterable<Doc> {
  const { body, database } = request;
  const variables = docArgument(body, 'aggregate', 'let');
  const read = (from: string, filter: Doc, hint?: Value): Iterable<Doc> => {
    const finder = new Finder(context, { filter, hint, deadline: request.deadline });
    const collection = context.catalog.collection(database, from);
    return collection ? finder.documents(collection) : [];
  };
  const pipeline = compilePipeline(stages, {
    find: read,
    now: new Date(),
    ...(variables ? { variables } : {}),
  });
  const filter = isDoc(pipeline.leadingMatch) ? pipeline.leadingMatch : new Map<string, Value>();
  return pipeline.run(read(name, filter, hintArgument(body)));
}

function* encoded(docs: Iterable<Doc>): Generator<Uint8Array> {
  for (const doc of docs) yield encodeDoc(doc);
}
