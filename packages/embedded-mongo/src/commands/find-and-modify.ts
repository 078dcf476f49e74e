import type { Doc, Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { parseCollation } from '../query/collation.js';
import { compileUpdate, type Update } from '../update/compile.js';
import type { ReplyFields } from '../wire/reply.js';
import { booleanArgument, collectionName, docArgument } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder, type Match } from './find-documents.js';
import { hintArgument, letVariables } from './find.js';
import { applyUpdate, ensureCollection, insertUpsert } from './modify.js';
import { assertComparesNothing } from './update.js';
import { arrayFiltersOf } from './write-entries.js';

const NAME = 'findAndModify';

export const findAndModify: Command = {
  name: NAME,
  aliases: ['findandmodify'],
  kind: 'write',
  fields: [
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'arrayFilters',
    'hint',
    'collation',
    'bypassDocumentValidation',
    'let',
  ],
  run(request, context) {
    const operation = readOperation(request, context);
    const { collection, finder } = operation;
    const [match] = collection ? finder.matches(collection) : [];
    if (operation.remove) return runRemove(operation, match);
    return match ? runUpdate(operation, match) : runUpsert(operation, request, context);
  },
};

interface Operation {
  readonly name: string;
  readonly collection: ReturnType<CommandContext['catalog']['collection']>;
  readonly finder: Finder;
  readonly filter: Doc;
  readonly remove: boolean;
  readonly returnNew: boolean;
  readonly upsert: boolean;
  readonly bypass: boolean;
  readonly update: Update | undefined;
}

function readOperation(request: CommandRequest, context: CommandContext): Operation {
  const { body, database, deadline } = request;
  const name = collectionName(request);
  const text = parseCollation(body.get('collation'));
  if (text) assertComparesNothing(body.get('update'), body.get('arrayFilters'));
  const filter = docArgument(body, NAME, 'query') ?? new Map<string, Value>();
  const variables = letVariables(body, NAME, new Date());
  const finder = new Finder(context, {
    filter,
    variables,
    sort: docArgument(body, NAME, 'sort'),
    projection: docArgument(body, NAME, 'fields'),
    hint: hintArgument(body),
    limit: 1,
    deadline,
    text,
  });
  return {
    name,
    collection: context.catalog.collection(database, name),
    finder,
    filter,
    bypass: booleanArgument(body, NAME, 'bypassDocumentValidation'),
    ...readChange(body, variables),
  };
}

function readChange(
  body: Doc,
  variables: Doc | undefined,
): Pick<Operation, 'remove' | 'returnNew' | 'upsert' | 'update'> {
  const remove = booleanArgument(body, NAME, 'remove');
  const returnNew = booleanArgument(body, NAME, 'new');
  const upsert = booleanArgument(body, NAME, 'upsert');
  const given = body.get('update');
  if (remove && given !== undefined) throw failedToParse("Cannot specify both an 'update' and 'remove'=true");
  if (remove && upsert) throw failedToParse("Cannot specify both 'upsert'=true and 'remove'=true");
  if (remove && returnNew) {
    throw failedToParse(
      "Cannot specify both 'new'=true and 'remove'=true; 'remove' always returns the deleted document",
    );
  }
  if (!remove && given === undefined)
    throw failedToParse("Either an 'update' or 'remove'=true must be specified");
  const update = given === undefined ? undefined : compileUpdate(given, arrayFiltersOf(body), variables);
  return { remove, returnNew, upsert, update };
}

function failedToParse(message: string): MongoError {
  return new MongoError(ErrorCode.FailedToParse, message);
}

function runRemove({ collection, finder }: Operation, match: Match | undefined): ReplyFields {
  if (!match || !collection) return { lastErrorObject: { n: 0 }, value: null, ok: 1 };
  const value = finder.projected(match.doc);
  collection.remove(match.recordId, match.doc, match.raw.length);
  return { lastErrorObject: { n: 1 }, value, ok: 1 };
}

function runUpdate({ collection, finder, update, returnNew, bypass }: Operation, match: Match): ReplyFields {
  if (!collection || !update) throw new Error('an update without a collection');
  const before = match.doc;
  // The projection may be positional and is then decided by the document that matched.
  const old = returnNew ? undefined : finder.projected(before);
  const { doc } = applyUpdate(collection, match, finder.query, { update, now: new Date(), bypass });
  const value = old ?? finder.projected(doc);
  return { lastErrorObject: { n: 1, updatedExisting: true }, value, ok: 1 };
}

function runUpsert(operation: Operation, request: CommandRequest, context: CommandContext): ReplyFields {
  const { update, upsert, filter, finder, returnNew, name, bypass } = operation;
  if (!upsert || !update) return { lastErrorObject: { n: 0, updatedExisting: false }, value: null, ok: 1 };
  const collection = ensureCollection(context, request.database, name);
  const inserted = insertUpsert(collection, filter, { update, now: new Date(), bypass });
  const id = inserted.get('_id');
  return {
    lastErrorObject: { n: 1, updatedExisting: false, upserted: id },
    value: returnNew ? finder.projected(inserted) : null,
    ok: 1,
  };
}
