import { ObjectId } from 'bson';
import { encodeDoc } from '../bson/encode.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { parseCollation } from '../query/collation.js';
import type { Collection } from '../storage/collection.js';
import { compileUpdate } from '../update/compile.js';
import { assertKnownFields, booleanArgument } from './arguments.js';
import type { CommandContext, CommandRequest } from './command.js';
import { Finder } from './find-documents.js';
import { applyUpdate, ensureCollection, prepareForStorage, storeNew } from './modify.js';

/** Not `let`, which would be silently without effect: a pipeline has `$$new`. */
const KNOWN = new Set(['into', 'on', 'whenMatched', 'whenNotMatched']);
const WHEN_MATCHED = new Set(['replace', 'keepExisting', 'merge', 'fail']);
const WHEN_NOT_MATCHED = new Set(['insert', 'discard', 'fail']);

interface Target {
  readonly database: string;
  readonly name: string;
}

/** A function that brings one document into `$merge`'s target. */
export function merger(
  spec: Doc,
  { database, name }: Target,
  request: CommandRequest,
  context: CommandContext,
): (doc: Doc) => void {
  assertKnownFields(spec, '$merge', KNOWN);
  if (parseCollation(request.body.get('collation'))) throw noUniqueIndex();
  const whenMatched = spec.get('whenMatched') ?? 'merge';
  const whenNotMatched = spec.get('whenNotMatched') ?? 'insert';
  if (!Array.isArray(whenMatched)) assertMode(whenMatched, WHEN_MATCHED, 'whenMatched');
  assertMode(whenNotMatched, WHEN_NOT_MATCHED, 'whenNotMatched');
  const bypass = booleanArgument(request.body, 'aggregate', 'bypassDocumentValidation');
  const on = joinFields(spec.get('on'));
  const collection = ensureCollection(context, database, name);
  assertUniqueIndex(collection, on);
  return (given) => {
    const doc = given.has('_id') ? given : new Map<string, Value>([['_id', new ObjectId()], ...given]);
    const filter: Doc = new Map(on.map((path) => [path, new Map([['$eq', joinValue(doc, path)]])]));
    const finder = new Finder(context, { filter, limit: 1, deadline: request.deadline });
    // Whether there is one already the unique index says, with its key.
    const insertsOnly = whenMatched === 'fail' && whenNotMatched === 'insert';
    const [match] = insertsOnly ? [] : finder.matches(collection);
    if (match) {
      const update = changeOf(whenMatched, match.doc, doc);
      if (update) applyUpdate(collection, match, finder.query, { update, now: new Date(), bypass });
    } else if (whenNotMatched === 'insert') {
      storeNew(collection, prepareForStorage({ doc, raw: encodeDoc(doc) }), bypass);
    } else if (whenNotMatched === 'fail') {
      throw notMatched();
    }
  };
}

function notMatched(): MongoError {
  return new MongoError(
    13113,
    '$merge could not find a matching document in the target collection for at least one document in the source collection',
  );
}

function changeOf(whenMatched: Value, existing: Doc, doc: Doc) {
  if (Array.isArray(whenMatched)) {
    return compileUpdate(whenMatched, [], new Map<string, Value>([['new', doc]]));
  }
  switch (whenMatched) {
    case 'keepExisting':
      return undefined;
    case 'fail':
      throw new MongoError(
        ErrorCode.DuplicateKey,
        'E11000 duplicate key error: $merge with whenMatched: "fail" found an existing document',
      );
    case 'replace':
      return compileUpdate(doc);
    default:
      return compileUpdate(new Map([...existing, ...doc]));
  }
}

function assertMode(value: Value, known: ReadonlySet<string>, field: string): void {
  if (typeof value === 'string' && known.has(value)) return;
  throw new MongoError(
    ErrorCode.BadValue,
    `Enumeration value for field '$merge.${field}' is not a valid value.`,
  );
}

function joinFields(on: Value | undefined): string[] {
  if (on === undefined) return ['_id'];
  const fields = Array.isArray(on) ? on : [on];
  if (fields.length === 0 || !fields.every((field) => typeof field === 'string')) {
    throw new MongoError(51186, "$merge 'on' must be a string or an array of strings");
  }
  return fields;
}

function assertUniqueIndex(collection: Collection, on: readonly string[]): void {
  const found = collection.indexes.some(({ definition }) => {
    const paths = new Set(definition.fields.map(({ path }) => path));
    return (
      definition.unique &&
      !definition.partial &&
      paths.size === on.length &&
      on.every((path) => paths.has(path))
    );
  });
  if (!found) throw noUniqueIndex();
}

/** An index with the collation of the command is wanted, and there are none with another than the simple one. */
function noUniqueIndex(): MongoError {
  return new MongoError(51183, 'Cannot find index to verify that join fields will be unique');
}

function joinValue(doc: Doc, path: string): Value {
  let value: Value | undefined = doc;
  for (const part of path.split('.')) value = isDoc(value) ? value.get(part) : undefined;
  if (value === undefined || value === null || Array.isArray(value)) {
    throw new MongoError(
      51132,
      "$merge write error: 'on' field cannot be missing, null, undefined or an array",
    );
  }
  return value;
}
