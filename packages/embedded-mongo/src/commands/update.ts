import type { Doc, Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { mentions, parseCollation, unsupported } from '../query/collation.js';
import { compileUpdate, type Update } from '../update/compile.js';
import type { Steps } from '../storage/group-commit.js';
import type { ReplyFields } from '../wire/reply.js';
import { booleanArgument, collectionName, docArgument, documentList } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { hintArgument, letVariables } from './find.js';
import { applyUpdate, ensureCollection, insertUpsert } from './modify.js';
import { arrayFiltersOf, assertUpdateEntry } from './write-entries.js';
import { batchReply, runBatch } from './write-results.js';

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
    for (const { doc } of updates) assertUpdateEntry(doc);
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
  const filter = docArgument(doc, 'update.updates', 'q') ?? new Map<string, Value>();
  const { deadline } = request;
  const spec = {
    filter,
    limit: multi ? 0 : 1,
    hint: hintArgument(doc),
    variables,
    deadline,
    text: parseCollation(doc.get('collation')),
  };
  const finder = new Finder(context, spec);
  const collection = context.catalog.collection(request.database, name);
  const change = {
    update: compiled,
    now: new Date(),
    bypass: booleanArgument(request.body, 'update', 'bypassDocumentValidation'),
  };
  let matched = 0;
  if (collection) {
    for (const match of finder.matches(collection)) {
      const { modified } = applyUpdate(collection, match, finder.query, change);
      matched++;
      totals.n++;
      if (modified) totals.nModified++;
      yield;
    }
  }
  if (matched > 0 || !upsert) return;
  const inserted = insertUpsert(ensureCollection(context, request.database, name), filter, change);
  totals.n++;
  totals.upserted.push({ index, _id: inserted.get('_id') });
}

function readUpdate(doc: Doc, multi: boolean, variables: Doc | undefined): Update {
  if (parseCollation(doc.get('collation'))) assertComparesNothing(doc.get('u'), doc.get('arrayFilters'));
  const compiled = compileUpdate(doc.get('u') ?? null, arrayFiltersOf(doc), variables);
  if (multi && compiled.isReplacement) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      'multi update is not supported for replacement-style update',
    );
  }
  return compiled;
}

const COMPARING = new Set(['$min', '$max', '$addToSet', '$pull', '$pullAll', '$sort']);

/** For an update with a collation: throws NotImplemented (238) when it would compare strings itself. */
export function assertComparesNothing(spec: Value | undefined, arrayFilters: Value | undefined): void {
  if (arrayFilters !== undefined || Array.isArray(spec) || mentions(spec, COMPARING))
    throw unsupported('an update that compares values');
}
