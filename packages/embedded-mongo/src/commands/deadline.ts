import { ErrorCode, MongoError } from '../errors.js';

const CHECK_EVERY = 64;

/** The time limit of an operation (`maxTimeMS`). The time between two batches of a cursor does not count. */
export class Deadline {
  private remaining: number;
  private resumedAt = performance.now();
  private steps = 0;

  /** Milliseconds from now; 0 or undefined for no limit. */
  constructor(maxTimeMs: number | undefined) {
    this.remaining = maxTimeMs || Infinity;
  }

  /** To be called for every document; looks at the clock now and then. Throws MaxTimeMSExpired (50). */
  check(): void {
    if (this.remaining === Infinity || this.steps++ % CHECK_EVERY !== 0) return;
    if (performance.now() - this.resumedAt > this.remaining) {
      throw new MongoError(ErrorCode.MaxTimeMSExpired, 'operation exceeded time limit');
    }
  }

  pause(): void {
    this.remaining -= performance.now() - this.resumedAt;
  }

  resume(): void {
    this.resumedAt = performance.now();
  }
}
