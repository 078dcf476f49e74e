import { MongoError } from '../errors.js';
import type { Steps } from '../storage/group-commit.js';
import type { ReplyFields } from '../wire/reply.js';

const MAX_OPERATIONS = 100_000;

/**
 * Runs a batch's operations and returns its `writeErrors`: ordered batches end at the first error, unordered ones go on.
 * What is not a MongoError is not an operation's fault and passes through. Throws InvalidLength (16) for a batch that is empty
 * or has more than 100,000 operations.
 */
export function* runBatch<T>(
  operations: readonly T[],
  ordered: boolean,
  run: (operation: T, index: number) => Steps<void>,
): Steps<ReplyFields[]> {
  if (operations.length === 0 || operations.length > MAX_OPERATIONS) {
    throw new MongoError(
      16,
      `Write batch sizes must be between 1 and ${MAX_OPERATIONS}. Got ${operations.length} operations.`,
    );
  }
  const errors: ReplyFields[] = [];
  for (const [index, operation] of operations.entries()) {
    try {
      yield* run(operation, index);
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      errors.push({ index, code: error.code, ...error.extra, errmsg: error.message });
      if (ordered) break;
    }
  }
  return errors;
}

/** writeErrors only when there are any. */
export function batchReply(fields: ReplyFields, errors: readonly ReplyFields[]): ReplyFields {
  return { ...fields, ...(errors.length > 0 ? { writeErrors: errors } : {}), ok: 1 };
}
