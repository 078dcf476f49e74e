import { isDoc, type Doc } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertSimpleCollation } from '../index/definition.js';
import {
  assertKnownFields,
  booleanArgument,
  collectionName,
  documentList,
  integerArgument,
  missing,
  wrongType,
} from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { hintArgument, letVariables } from './find.js';
import { batchReply, runBatch } from './write-results.js';

const KNOWN = new Set(['q', 'limit', 'hint', 'collation']);

export const remove: Command = {
  name: 'delete',
  kind: 'write',
  fields: ['deletes', 'ordered', 'let'],
  *run(request, context) {
    const name = collectionName(request);
    const deletes = documentList(request, 'deletes');
    const ordered = booleanArgument(request.body, 'delete', 'ordered', true);
    let n = 0;
    const errors = yield* runBatch(deletes, ordered, function* ({ doc }) {
      for (const _ of removeMatching(doc, name, request, context)) {
        n++;
        yield;
      }
    });
    return batchReply({ n }, errors);
  },
};

function* removeMatching(
  doc: Doc,
  name: string,
  request: CommandRequest,
  context: CommandContext,
): Generator<void> {
  assertKnownFields(doc, 'delete.deletes', KNOWN);
  assertSimpleCollation(doc.get('collation'));
  const filter = doc.get('q');
  if (!isDoc(filter))
    throw filter === undefined
      ? missing('delete.deletes', 'q')
      : wrongType('delete.deletes', 'q', filter, 'object');
  const limit = integerArgument(doc, 'delete.deletes', 'limit');
  if (limit === undefined) throw missing('delete.deletes', 'limit');
  if (limit !== 0 && limit !== 1) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `The limit field in delete objects must be 0 or 1. Got ${limit}`,
    );
  }
  const finder = new Finder(context, {
    filter,
    limit,
    hint: hintArgument(doc),
    variables: letVariables(request.body, 'delete', new Date()),
    deadline: request.deadline,
  });
  const collection = context.catalog.collection(request.database, name);
  if (!collection) return;
  for (const match of finder.matches(collection)) {
    collection.remove(match.recordId, match.doc, match.raw.length);
    yield;
  }
}
