import { MongoError } from '../errors.js';
import type { Environment } from './environment.js';

/** A group is closed after this many milliseconds, so that reads of other connections get their turn. */
const MAX_GROUP_MS = 50;

interface Job {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown };

/** A write failed half way for a reason that is not the client's: its group has to be undone. */
class Poisoned extends Error {
  constructor(override readonly cause: unknown) {
    super('a write failed half way');
  }
}

/**
 * Runs the writes that arrive in one turn of the event loop in one LMDB transaction and settles them when it is on disk.
 *
 * A job reports what is wrong with its request by throwing a MongoError; what it wrote before stands (as the documents that a
 * multi-update changed before it failed do in MongoDB). Any other exception may come from the middle of a write: the group is
 * undone, `recover` drops what memory knows of it, and every job runs again in a transaction of its own.
 */
export class GroupCommit {
  private jobs: Job[] = [];
  private scheduled = false;

  constructor(
    private readonly environment: Environment,
    private readonly beforeCommit: () => void,
    private readonly recover: () => void,
  ) {}

  submit<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.jobs.push({ run, resolve, reject });
      this.schedule();
    });
  }

  /** Commits what is waiting, in this turn. */
  flush(): void {
    while (this.jobs.length > 0) this.commitGroup();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.commitGroup();
      if (this.jobs.length > 0) this.schedule();
    });
  }

  private commitGroup(): void {
    const jobs = this.jobs;
    this.jobs = [];
    let outcomes: Outcome[];
    try {
      outcomes = this.runTogether(jobs);
    } catch {
      this.recover();
      outcomes = jobs.map((job) => this.runAlone(job));
    }
    for (const [index, outcome] of outcomes.entries()) settle(jobs[index], outcome);
    this.jobs.unshift(...jobs.slice(outcomes.length));
  }

  private runTogether(jobs: readonly Job[]): Outcome[] {
    const deadline = performance.now() + MAX_GROUP_MS;
    return this.environment.transact(() => {
      const outcomes: Outcome[] = [];
      for (const job of jobs) {
        outcomes.push(attempt(job));
        if (performance.now() > deadline) break;
      }
      this.beforeCommit();
      return outcomes;
    });
  }

  private runAlone(job: Job): Outcome {
    try {
      return this.environment.transact(() => {
        const outcome = attempt(job);
        this.beforeCommit();
        return outcome;
      });
    } catch (error) {
      this.recover();
      return { error: error instanceof Poisoned ? error.cause : error };
    }
  }
}

function attempt(job: Job): Outcome {
  try {
    return { value: job.run() };
  } catch (error) {
    if (error instanceof MongoError) return { error };
    throw new Poisoned(error);
  }
}

function settle(job: Job | undefined, outcome: Outcome): void {
  if ('error' in outcome) job?.reject(outcome.error);
  else job?.resolve(outcome.value);
}
