import { Int32 } from 'bson';
import { compareValues } from '../bson/compare.js';
import { display } from '../bson/display.js';
import { isDoc, isDouble, isInt32, isLong, typeName, type Doc, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { compileQuery } from '../query/compile.js';
import { assertPartialFilter } from './partial.js';

export interface IndexField {
  readonly path: string;
  readonly parts: readonly string[];
  readonly descending: boolean;
}

export interface IndexDefinition {
  readonly name: string;
  readonly key: Doc;
  readonly fields: readonly IndexField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partial: Doc | undefined;
  readonly expireAfterSeconds: number | undefined;
  /** What listIndexes shows. */
  readonly spec: Doc;
}

const MAX_FIELDS = 32;
const DBREF_FIELDS = new Set(['$ref', '$id', '$db']);
const MAX_TTL_SECONDS = 2_147_483_647;
const KNOWN_OPTIONS = new Set([
  'key',
  'name',
  'v',
  'ns',
  'unique',
  'sparse',
  'background',
  'partialFilterExpression',
  'expireAfterSeconds',
  'collation',
  'hidden',
]);

/** Reads one element of createIndexes' `indexes`. Throws CannotCreateIndex (67) and its kin for what is not supported. */
export function parseIndexSpec(given: Doc): IndexDefinition {
  for (const option of given.keys()) {
    if (!KNOWN_OPTIONS.has(option)) {
      throw new MongoError(197, `The field '${option}' is not valid for an index specification`);
    }
  }
  const key = required(given, 'key');
  if (!isDoc(key)) throw wrongType('key', 'object', key);
  const name = required(given, 'name');
  if (typeof name !== 'string') throw wrongType('name', 'string', name);
  assertName(name, key);
  if (given.has('hidden') && truth(given, 'hidden'))
    throw new MongoError(67, 'hidden indexes are not supported');
  assertSimpleCollation(given.get('collation'));
  const fields = parseFields(key);
  const partial = partialFilter(given.get('partialFilterExpression'));
  const isId = key.size === 1 && fields[0]?.path === '_id' && !fields[0].descending;
  const definition = {
    name: isId ? '_id_' : name,
    key,
    fields,
    unique: isId || truth(given, 'unique'),
    sparse: truth(given, 'sparse'),
    partial,
    expireAfterSeconds: timeToLive(given.get('expireAfterSeconds'), fields),
  };
  assertCompatible(definition, isId);
  return { ...definition, spec: specOf(definition, isId) };
}

function required(given: Doc, field: string): Value {
  const value = given.get(field);
  if (value !== undefined) return value;
  throw new MongoError(9, `The '${field}' field is a required property of an index specification`);
}

function wrongType(field: string, expected: string, value: Value): MongoError {
  return new MongoError(14, `The field '${field}' must be a ${expected}, but got ${typeName(value)}`);
}

function assertName(name: string, key: Doc): void {
  if (name === '' || name.includes('\0')) throw new MongoError(67, `"${name}" is not a valid index name`);
  if (name === '*') throw new MongoError(2, "The index name '*' is not valid.");
  const order = key.get('_id');
  const isId = key.size === 1 && order !== undefined && numberOf(order) === 1;
  if (name === '_id_' && !isId) {
    throw new MongoError(
      2,
      `The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, found key: ${display(key)}`,
    );
  }
}

function assertCompatible(index: Omit<IndexDefinition, 'spec'>, isId: boolean): void {
  if (index.sparse && index.partial) {
    throw new MongoError(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  }
  if (isId && (index.sparse || index.partial || index.expireAfterSeconds !== undefined)) {
    throw new MongoError(197, `The _id index cannot be sparse, partial or have a time to live`);
  }
}

/** Refuses every collation but the simple one: strings are compared by their bytes. */
export function assertSimpleCollation(collation: Value | undefined): void {
  if (collation === undefined || (isDoc(collation) && collation.get('locale') === 'simple')) return;
  throw new MongoError(238, 'collation is not supported: only { locale: "simple" }');
}

function parseFields(key: Doc): IndexField[] {
  if (key.size === 0) throw new MongoError(67, 'Index keys cannot be an empty object');
  if (key.size > MAX_FIELDS) throw new MongoError(67, `Index key pattern has more than ${MAX_FIELDS} fields`);
  return Array.from(key, ([path, order]) => parseField(path, order));
}

function parseField(path: string, order: Value): IndexField {
  if (typeof order === 'string') throw new MongoError(67, `Unknown index plugin '${order}'`);
  if (path.split('.').some((part, i) => part.startsWith('$') && (i === 0 || !DBREF_FIELDS.has(part)))) {
    throw new MongoError(67, `Index key contains an illegal field name: '${path}'`);
  }
  if (path === '' || path.split('.').includes('')) {
    throw new MongoError(67, 'Index keys cannot contain an empty field');
  }
  const direction = numberOf(order);
  if (direction === undefined || Number.isNaN(direction) || direction === 0) {
    throw new MongoError(67, `Values in v:2 index key pattern must be numbers other than zero`);
  }
  return { path, parts: path.split('.'), descending: direction < 0 };
}

function partialFilter(filter: Value | undefined): Doc | undefined {
  if (filter === undefined) return undefined;
  if (!isDoc(filter)) throw new MongoError(14, 'partialFilterExpression must be an object');
  assertPartialFilter(filter);
  compileQuery(filter);
  return filter;
}

function timeToLive(value: Value | undefined, fields: readonly IndexField[]): number | undefined {
  if (value === undefined) return undefined;
  const seconds = numberOf(value);
  if (seconds === undefined || !(seconds >= 0 && seconds <= MAX_TTL_SECONDS)) {
    throw new MongoError(67, `TTL index 'expireAfterSeconds' must be a number from 0 to ${MAX_TTL_SECONDS}`);
  }
  if (fields.length > 1)
    throw new MongoError(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL');
  return Math.floor(seconds);
}

function specOf(index: Omit<IndexDefinition, 'spec'>, isId: boolean): Doc {
  const spec: Doc = new Map<string, Value>([
    ['v', new Int32(2)],
    ['key', index.key],
    ['name', index.name],
  ]);
  if (index.unique && !isId) spec.set('unique', true);
  if (index.sparse) spec.set('sparse', true);
  if (index.partial) spec.set('partialFilterExpression', index.partial);
  if (index.expireAfterSeconds !== undefined)
    spec.set('expireAfterSeconds', new Int32(index.expireAfterSeconds));
  return spec;
}

function truth(given: Doc, option: string): boolean {
  const value = given.get(option);
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  const number = numberOf(value);
  if (number === undefined) {
    throw new MongoError(14, `The field '${option}' has a value that is not convertible to bool`);
  }
  return number !== 0;
}

function numberOf(value: Value): number | undefined {
  if (isInt32(value) || isDouble(value)) return value.value;
  return isLong(value) ? value.toNumber() : undefined;
}

/**
 * Whether the wanted index is there already (true) or can be built (false). Throws IndexKeySpecsConflict (86) when its name is
 * taken by a different index and IndexOptionsConflict (85) when the same index exists with other options or another name.
 */
export function alreadyExists(wanted: IndexDefinition, existing: readonly IndexDefinition[]): boolean {
  const details = (other: IndexDefinition) =>
    `Requested index: ${wanted.name}, existing index: ${other.name}`;
  const sameName = existing.find((index) => index.name === wanted.name);
  if (sameName) {
    if (!sameSignature(wanted, sameName)) {
      throw new MongoError(
        86,
        'An existing index has the same name as the requested index. When index names are not specified, they are auto ' +
          `generated and can cause conflicts. Please refer to our documentation. ${details(sameName)}`,
      );
    }
    if (wanted.expireAfterSeconds === sameName.expireAfterSeconds) return true;
    throw new MongoError(
      85,
      `An equivalent index already exists with the same name but different options. ${details(sameName)}`,
    );
  }
  const equivalent = existing.find((index) => sameSignature(wanted, index));
  if (!equivalent) return false;
  if (wanted.expireAfterSeconds === equivalent.expireAfterSeconds) {
    throw new MongoError(85, `Index already exists with a different name: ${equivalent.name}`);
  }
  throw new MongoError(
    85,
    `An equivalent index already exists with a different name and options. ${details(equivalent)}`,
  );
}

function sameSignature(left: IndexDefinition, right: IndexDefinition): boolean {
  return (
    sameKey(left, right) &&
    left.unique === right.unique &&
    left.sparse === right.sparse &&
    compareValues(left.partial ?? null, right.partial ?? null) === 0
  );
}

function sameKey(left: IndexDefinition, right: IndexDefinition): boolean {
  return compareValues(left.key, right.key) === 0;
}
