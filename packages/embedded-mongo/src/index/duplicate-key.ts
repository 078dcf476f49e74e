import { bsonType, BsonType, isDoc, type Doc, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import type { IndexDefinition } from './definition.js';
import type { KeyPart } from './paths.js';

/** E11000 with `keyPattern` and `keyValue`, worded as MongoDB words it. */
export function duplicateKeyError(
  namespace: string,
  index: IndexDefinition,
  row: readonly KeyPart[],
): MongoError {
  const keyValue: Doc = new Map(index.fields.map((field, position) => [field.path, row[position] ?? null]));
  const message = `E11000 duplicate key error collection: ${namespace} index: ${index.name} dup key: ${describe(keyValue)}`;
  return new MongoError(11000, message, { keyPattern: index.key, keyValue });
}

/** A value in the notation of MongoDB's messages. */
export function describe(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(describe).join(', ')} ]`;
  if (isDoc(value)) return describeDoc(value);
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  return describeTagged(value);
}

function describeDoc(doc: Doc): string {
  if (doc.size === 0) return '{}';
  return `{ ${Array.from(doc, ([name, value]) => `${name}: ${describe(value)}`).join(', ')} }`;
}

function describeTagged(value: Value): string {
  switch (bsonType(value)) {
    case BsonType.objectId:
      return `ObjectId('${String(value)}')`;
    case BsonType.double:
      return Number.isInteger(Number(value)) ? `${Number(value)}.0` : String(Number(value));
    case BsonType.minKey:
      return 'MinKey';
    case BsonType.maxKey:
      return 'MaxKey';
    case BsonType.undefined:
      return 'undefined';
    default:
      return String(value);
  }
}
