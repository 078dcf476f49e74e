import { identicalValues } from '../bson/identical.js';
import type { Doc } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';

/** Throws DollarPrefixedFieldName (52) when a field at the top level begins with `$`. */
export function checkReplacement(replacement: Doc): void {
  for (const name of replacement.keys()) {
    if (name.startsWith('$')) {
      throw new MongoError(
        ErrorCode.DollarPrefixedFieldName,
        `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
    }
  }
}

/** The replacement with the document's `_id`, which comes first; the document itself when they are the same. */
export function replaceDoc(doc: Doc, replacement: Doc): Doc {
  const id = replacement.get('_id') ?? doc.get('_id');
  const result: Doc = id === undefined ? new Map() : new Map([['_id', id]]);
  for (const [name, value] of replacement) result.set(name, value);
  return identicalValues(result, doc) ? doc : result;
}
