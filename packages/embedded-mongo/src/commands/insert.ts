import { booleanArgument, collectionName, documentList } from './arguments.js';
import type { Command } from './command.js';
import { ensureCollection, prepareForStorage, storeNew } from './modify.js';
import { batchReply, runBatch } from './write-results.js';

export const insert: Command = {
  name: 'insert',
  kind: 'write',
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  *run(request, context) {
    const name = collectionName(request);
    const documents = documentList(request, 'documents');
    const ordered = booleanArgument(request.body, 'insert', 'ordered', true);
    const bypass = booleanArgument(request.body, 'insert', 'bypassDocumentValidation');
    let n = 0;
    const errors = yield* runBatch(documents, ordered, function* (sent) {
      const prepared = prepareForStorage(sent);
      storeNew(ensureCollection(context, request.database, name), prepared, bypass);
      n++;
      yield;
    });
    return batchReply({ n }, errors);
  },
};
