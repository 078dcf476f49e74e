import { MongoError } from '../errors.js';
import type { ReplyFields } from '../wire/reply.js';

const MAX_OPERATIONS = 100_000;

/** How an error is told of one operation of a batch. */
export function writeError(index: number, error: MongoError): ReplyFields {
  return { index, code: error.code, ...error.extra, errmsg: error.message };
}

/**
 * Runs a batch's operations and returns its `writeErrors`: ordered batches end at the first error, unordered ones go on.
 * What is not a MongoError is not an operation's fault and passes through.
 */
export function runBatch<T>(
  operations: readonly T[],
  ordered: boolean,
  run: (operation: T, index: number) => void,
): ReplyFields[] {
  if (operations.length === 0 || operations.length > MAX_OPERATIONS) {
    throw new MongoError(
      16,
      `Write batch sizes must be between 1 and ${MAX_OPERATIONS}. Got ${operations.length} operations.`,
    );
  }
  const errors: ReplyFields[] = [];
  for (const [index, operation] of operations.entries()) {
    try {
      run(operation, index);
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      errors.push(writeError(index, error));
      if (ordered) break;
    }
  }
  return errors;
}

/** writeErrors only when there are any. */
export function batchReply(fields: ReplyFields, errors: readonly ReplyFields[]): ReplyFields {
  return { ...fields, ...(errors.length > 0 ? { writeErrors: errors } : {}), ok: 1 };
}
