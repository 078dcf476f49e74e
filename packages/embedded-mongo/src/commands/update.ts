import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertSimpleCollation } from '../index/definition.js';
import { compileUpdate, type Update } from '../update/compile.js';
import type { Steps } from '../storage/group-commit.js';
import type { ReplyFields } from '../wire/reply.js';
import {
  arrayArgument,
  assertKnownFields,
  booleanArgument,
  collectionName,
  docArgument,
  documentList,
  missing,
  wrongType,
} from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { hintArgument, letVariables } from './find.js';
import { applyUpdate, ensureCollection, insertUpsert } from './modify.js';
import { batchReply, runBatch } from './write-results.js';

const KNOWN = new Set([
  'q',
  'u',
  'c',
  'upsert',
  'multi',
  'arrayFilters',
  'hint',
  'collation',
  'upsertSupplied',
]);

interface Totals {
  n: number;
  nModified: number;
  upserted: ReplyFields[];
}

export const update: Command = {
  name: 'update',
  kind: 'write',
  fields: ['updates', 'ordered', 'bypassDocumentValidation', 'let'],
  *run(request, context) {
    const name = collectionName(request);
    const updates = documentList(request, 'updates');
    const ordered = booleanArgument(request.body, 'update', 'ordered', true);
    const totals: Totals = { n: 0, nModified: 0, upserted: [] };
    const errors = yield* runBatch(updates, ordered, ({ doc }, index) =>
      runUpdate({ doc, index, request, name }, context, totals),
    );
    const { n, nModified, upserted } = totals;
    return batchReply({ n, ...(upserted.length > 0 ? { upserted } : {}), nModified }, errors);
  },
};

/** The command's `let`, and the constants of one update, which win. */
function variablesOf(body: Doc, operation: Doc): Doc | undefined {
  const shared = letVariables(body, 'update', new Date());
  const own = docArgument(operation, 'update.updates', 'c');
  return shared && own ? new Map([...shared, ...own]) : (own ?? shared);
}

interface Operation {
  readonly doc: Doc;
  readonly index: number;
  readonly request: CommandRequest;
  readonly name: string;
}

function* runUpdate(
  { doc, index, request, name }: Operation,
  context: CommandContext,
  totals: Totals,
): Steps<void> {
  const multi = booleanArgument(doc, 'update.updates', 'multi');
  const upsert = booleanArgument(doc, 'update.updates', 'upsert');
  const variables = variablesOf(request.body, doc);
  const compiled = readUpdate(doc, multi, variables);
  const filter = doc.get('q');
  if (!isDoc(filter))
    throw filter === undefined
      ? missing('update.updates', 'q')
      : wrongType('update.updates', 'q', filter, 'object');
  const { deadline } = request;
  const spec = { filter, limit: multi ? 0 : 1, hint: hintArgument(doc), variables, deadline };
  const finder = new Finder(context, spec);
  const collection = context.catalog.collection(request.database, name);
  const now = new Date();
  let matched = 0;
  if (collection) {
    for (const match of finder.matches(collection)) {
      const { modified } = applyUpdate(collection, match, finder.query, compiled, now);
      matched++;
      totals.n++;
      if (modified) totals.nModified++;
      yield;
    }
  }
  if (matched > 0 || !upsert) return;
  const inserted = insertUpsert(ensureCollection(context, request.database, name), filter, compiled, now);
  totals.n++;
  totals.upserted.push({ index, _id: inserted.get('_id') });
}

function readUpdate(doc: Doc, multi: boolean, variables: Doc | undefined): Update {
  assertKnownFields(doc, 'update.updates', KNOWN);
  assertSimpleCollation(doc.get('collation'));
  const given = doc.get('u');
  if (given === undefined) throw missing('update.updates', 'u');
  const compiled = compileUpdate(given, arrayFiltersOf(doc), variables);
  if (multi && compiled.isReplacement) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      'multi update is not supported for replacement-style update',
    );
  }
  return compiled;
}

export function arrayFiltersOf(doc: Doc): Doc[] | undefined {
  return arrayArgument(doc, 'update', 'arrayFilters')?.map((filter: Value) => {
    if (!isDoc(filter)) throw wrongType('update', 'arrayFilters', filter, 'object');
    return filter;
  });
}
