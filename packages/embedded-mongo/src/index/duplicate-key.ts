import { display } from '../bson/display.js';
import type { Doc } from '../bson/values.js';
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
  const message = `E11000 duplicate key error collection: ${namespace} index: ${index.name} dup key: ${display(keyValue)}`;
  return new MongoError(11000, message, { keyPattern: index.key, keyValue });
}
