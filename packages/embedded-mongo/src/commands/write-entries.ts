import { isDoc, typeName, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import {
  arrayArgument,
  assertKnownFields,
  docArgument,
  integerArgument,
  missing,
  wrongType,
} from './arguments.js';

const UPDATE = 'update.updates';
const UPDATE_FIELDS = new Set([
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
const DELETE = 'delete.deletes';
const DELETE_FIELDS = new Set(['q', 'limit', 'hint', 'collation']);

/**
 * The shape of one element of `updates`. What is wrong with it fails the whole command before anything is executed, unlike
 * what is wrong with the operators within. Throws 40414, 40415, TypeMismatch (14) and FailedToParse (9).
 */
export function assertUpdateEntry(entry: Doc): void {
  assertKnownFields(entry, UPDATE, UPDATE_FIELDS);
  assertFilter(entry, UPDATE);
  const update = entry.get('u');
  if (update === undefined) throw missing(UPDATE, 'u');
  if (!isDoc(update) && !Array.isArray(update)) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `Update argument must be either an object or an array, not ${typeName(update)}`,
    );
  }
  for (const flag of ['multi', 'upsert']) assertBoolean(entry, UPDATE, flag);
  arrayFiltersOf(entry);
  assertHint(entry.get('hint'));
  for (const field of ['collation', 'c']) docArgument(entry, UPDATE, field);
}

/** The same for one element of `deletes`. */
export function assertDeleteEntry(entry: Doc): void {
  assertKnownFields(entry, DELETE, DELETE_FIELDS);
  assertFilter(entry, DELETE);
  const limit = integerArgument(entry, DELETE, 'limit');
  if (limit === undefined) throw missing(DELETE, 'limit');
  if (limit !== 0 && limit !== 1) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `The limit field in delete objects must be 0 or 1. Got ${limit}`,
    );
  }
  assertHint(entry.get('hint'));
  docArgument(entry, DELETE, 'collation');
}

function assertFilter(entry: Doc, command: string): void {
  const filter = entry.get('q');
  if (filter === undefined) throw missing(command, 'q');
  if (!isDoc(filter)) throw wrongType(command, 'q', filter, 'object');
}

/** Here, other than in most places, numbers do not count as booleans. */
function assertBoolean(entry: Doc, command: string, field: string): void {
  const value = entry.get(field) ?? null;
  if (value !== null && typeof value !== 'boolean') throw wrongType(command, field, value, 'bool');
}

/** Throws FailedToParse (9) for a hint that is neither an index's name nor its key. */
export function assertHint(hint: Value | undefined): void {
  if (hint === undefined || hint === null || typeof hint === 'string' || isDoc(hint)) return;
  throw new MongoError(ErrorCode.FailedToParse, 'Hint must be a string or an object');
}

export function arrayFiltersOf(doc: Doc): Doc[] | undefined {
  return arrayArgument(doc, 'update', 'arrayFilters')?.map((filter: Value) => {
    if (!isDoc(filter)) throw wrongType('update', 'arrayFilters', filter, 'object');
    return filter;
  });
}
