import type { Doc, Value } from '../bson/values.js';
import { parseCollation } from '../query/collation.js';
import { booleanArgument, collectionName, docArgument, documentList, integerArgument } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { hintArgument, letVariables } from './find.js';
import { assertDeleteEntry } from './write-entries.js';
import { batchReply, runBatch } from './write-results.js';

export const remove: Command = {
  name: 'delete',
  kind: 'write',
  fields: ['deletes', 'ordered', 'let'],
  *run(request, context) {
    const name = collectionName(request);
    const deletes = documentList(request, 'deletes');
    for (const { doc } of deletes) assertDeleteEntry(doc);
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
  const finder = new Finder(context, {
    filter: docArgument(doc, 'delete.deletes', 'q') ?? new Map<string, Value>(),
    limit: integerArgument(doc, 'delete.deletes', 'limit'),
    hint: hintArgument(doc),
    variables: letVariables(request.body, 'delete', new Date()),
    deadline: request.deadline,
    text: parseCollation(doc.get('collation')),
  });
  const collection = context.catalog.collection(request.database, name);
  if (!collection) return;
  for (const match of finder.matches(collection)) {
    collection.remove(match.recordId, match.doc, match.raw.length);
    yield;
  }
}
