import { ErrorCode, MongoError } from '../errors.js';

/** What a stage that holds documents may take, in bytes, as MongoDB's. MongoDB goes on on disk beyond it, this server refuses. */
export const MAX_STAGE_BYTES = 100 * 1024 * 1024;

/** Counts the bytes that a stage holds. */
export class MemoryBudget {
  private held = 0;

  constructor(
    private readonly stage: string,
    private readonly limit = MAX_STAGE_BYTES,
  ) {}

  /** Negative where something is let go. Throws QueryExceededMemoryLimitNoDiskUseAllowed (292) beyond the limit. */
  take(bytes: number): void {
    this.held += bytes;
    if (this.held > this.limit) throw exceeded(`Exceeded memory limit for ${this.stage}`);
  }
}

export function sortTooLarge(limit: number): MongoError {
  return exceeded(`Sort exceeded memory limit of ${limit} bytes`);
}

function exceeded(what: string): MongoError {
  return new MongoError(
    ErrorCode.QueryExceededMemoryLimitNoDiskUseAllowed,
    `${what}, but did not opt in to external sorting. Going on on disk is not supported, with allowDiskUse either`,
  );
}
