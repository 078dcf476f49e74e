import type { Doc } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { compileExpression } from './expression.js';

/**
 * The values of a command's `let`, whose expressions see no document.
 * Throws 16867 for a name that does not begin with a small letter.
 */
export function evaluateLet(spec: Doc, now: Date): Doc {
  const values: Doc = new Map();
  const root: Doc = new Map();
  for (const [name, value] of spec) {
    if (!/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) {
      throw new MongoError(16867, `'${name}' starts with an invalid character for a user variable name`);
    }
    const result = compileExpression(value)({ root, now });
    if (result !== undefined) values.set(name, result);
  }
  return values;
}
