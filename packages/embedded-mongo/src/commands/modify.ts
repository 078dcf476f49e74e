import { ObjectId, Timestamp } from 'bson';
import { identicalValues } from '../bson/identical.js';
import { checkStorageDepth } from '../bson/depth.js';
import { display } from '../bson/display.js';
import { encodeDoc } from '../bson/encode.js';
import { isDoc, isRegex, isTimestamp, isUndefined, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { Query } from '../query/compile.js';
import { upsertSeed } from '../query/upsert.js';
import type { Collection } from '../storage/collection.js';
import type { Update } from '../update/compile.js';
import type { SentDocument } from './arguments.js';
import type { CommandContext } from './command.js';
import { assertValid } from './validation.js';
import type { Match } from './find-documents.js';

export const MAX_DOCUMENT_SIZE = 16 * 1024 * 1024;
let lastIncrement = 0;

/** The collection, made when there is none yet. */
export function ensureCollection({ catalog }: CommandContext, database: string, name: string): Collection {
  return catalog.collection(database, name) ?? catalog.create(database, name);
}

/**
 * A document as it will be stored: with an _id, that being its first field. Throws InvalidIdField (53), BadValue (2) when it
 * is larger than 16 MiB, Overflow (15) when it nests too deeply.
 */
export function prepareForStorage({ doc, raw }: SentDocument): SentDocument {
  const id = doc.get('_id');
  if (id !== undefined) assertId(id);
  checkStorageDepth(doc);
  const [firstField] = doc.keys();
  const stamped = stampEmptyTimestamps(doc);
  const prepared = firstField === '_id' && !stamped ? { doc, raw } : withIdFirst(stamped ?? doc);
  if (prepared.raw.length > MAX_DOCUMENT_SIZE) {
    throw new MongoError(
      ErrorCode.BadValue,
      `object to insert too large. size in bytes: ${prepared.raw.length}, max size: ${MAX_DOCUMENT_SIZE}`,
    );
  }
  return prepared;
}

function withIdFirst(doc: Doc): SentDocument {
  const ordered: Doc = new Map([['_id', doc.has('_id') ? (doc.get('_id') ?? null) : new ObjectId()]]);
  for (const [name, value] of doc) if (name !== '_id') ordered.set(name, value);
  return { doc: ordered, raw: encodeDoc(ordered) };
}

function assertId(id: Value): void {
  if (Array.isArray(id))
    throw new MongoError(ErrorCode.InvalidIdField, "The '_id' value cannot be of type array");
  if (isRegex(id)) throw new MongoError(ErrorCode.InvalidIdField, "The '_id' value cannot be of type regex");
  if (isUndefined(id))
    throw new MongoError(ErrorCode.InvalidIdField, "The '_id' value cannot be of type undefined");
  if (!isDoc(id)) return;
  const dbRef = dbRefFields(id);
  for (const name of id.keys()) {
    if (!name.startsWith('$') || dbRef.has(name)) continue;
    throw new MongoError(
      ErrorCode.DollarPrefixedFieldName,
      `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
    );
  }
}

/** A DBRef is the one document with $-prefixed fields that an _id may be: $ref (string) first, then $id, then perhaps $db (string). */
function dbRefFields(id: Doc): ReadonlySet<string> {
  const [first, second, third] = [...id];
  if (first?.[0] !== '$ref' || typeof first[1] !== 'string' || second?.[0] !== '$id') return new Set();
  return new Set(['$ref', '$id', ...(third?.[0] === '$db' && typeof third[1] === 'string' ? ['$db'] : [])]);
}

/** An empty timestamp at the top of a new document means "now", as in MongoDB. */
function stampEmptyTimestamps(doc: Doc): Doc | undefined {
  let stamped: Doc | undefined;
  for (const [name, value] of doc) {
    if (name === '_id' || !isTimestamp(value) || value.t !== 0 || value.i !== 0) continue;
    stamped ??= new Map(doc);
    stamped.set(name, new Timestamp({ t: Math.floor(Date.now() / 1000), i: ++lastIncrement }));
  }
  return stamped;
}

/** How documents are changed. */
export interface Change {
  readonly update: Update;
  readonly now: Date;
  /** The collection's validator is not asked. */
  readonly bypass: boolean;
}

/** Updates one document; the document as it is afterwards, and whether that is different. */
export function applyUpdate(
  collection: Collection,
  match: Match,
  query: Query,
  { update, now, bypass }: Change,
): { doc: Doc; modified: boolean } {
  const before = match.doc;
  const position = query.matchPosition(before);
  const applied = update.apply(before, {
    ...(position === undefined ? {} : { position }),
    isInsert: false,
    now,
  });
  const after = update.isReplacement ? (stampEmptyTimestamps(applied) ?? applied) : applied;
  if (identicalValues(before, after)) return { doc: before, modified: false };
  assertSameId(before, after);
  checkStorageDepth(after);
  if (!bypass) assertValid(collection, after, before);
  const raw = encodeDoc(after);
  if (raw.length > MAX_DOCUMENT_SIZE) {
    throw new MongoError(17419, `Resulting document after update is larger than ${MAX_DOCUMENT_SIZE}`);
  }
  collection.replace(match.recordId, before, match.raw.length, after, raw);
  return { doc: after, modified: true };
}

function assertSameId(before: Doc, after: Doc): void {
  const id = before.get('_id');
  const changed = after.get('_id');
  if (id !== undefined && changed !== undefined && identicalValues(id, changed)) return;
  throw new MongoError(
    ErrorCode.ImmutableField,
    `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${display(changed)}`,
  );
}

/** Inserts the document that an update with `upsert: true` makes when nothing matches. */
export function insertUpsert(collection: Collection, filter: Doc, { update, now, bypass }: Change): Doc {
  const made = update.apply(upsertSeed(filter), { isInsert: true, now });
  const prepared = prepareForStorage(withIdFirst(made));
  storeNew(collection, prepared, bypass);
  return prepared.doc;
}

/** Inserts what `prepareForStorage` made. Throws DocumentValidationFailure (121) unless validation is bypassed. */
export function storeNew(collection: Collection, { doc, raw }: SentDocument, bypass: boolean): void {
  if (!bypass) assertValid(collection, doc);
  collection.insert(doc, raw);
}
