import { ErrorCode, MongoError } from '../errors.js';
import type { Environment } from './environment.js';

/** A group is closed after this many milliseconds, so that reads of other connections get their turn. */
const MAX_GROUP_MS = 50;

/**
 * A write that may take long: it can be interrupted at every `yield`, where the transaction may end and another begin. It
 * yields 'pause' when it waits for another write.
 */
export type Steps<T> = Generator<'pause' | undefined, T>;

interface Job {
  run(): unknown;
  /** Set once it has begun. */
  steps?: Steps<unknown>;
  /** Part of it is on disk: it cannot begin again. */
  partlyCommitted: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown } | 'unfinished';

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
 * undone, `recover` drops what memory knows of it, and every job runs again in a transaction of its own, except one that was
 * begun in an earlier group: that one is rejected.
 */
export class GroupCommit {
  private jobs: Job[] = [];
  private scheduled = false;
  private stopped = false;

  constructor(
    private readonly environment: Environment,
    private readonly beforeCommit: () => void,
    private readonly recover: () => void,
  ) {}

  /** Resolves with what `run` returns, or what its steps end with, when all of it is on disk. */
  submit<T>(run: () => T | Steps<T>): Promise<T> {
    if (this.stopped) {
      return Promise.reject(new MongoError(ErrorCode.InterruptedAtShutdown, 'the server is shutting down'));
    }
    return new Promise<unknown>((resolve, reject) => {
      this.jobs.push({ run, partlyCommitted: false, resolve, reject });
      this.schedule();
    }) as Promise<T>;
  }

  /** Commits what is waiting, in this turn, and takes nothing more. */
  stop(): void {
    this.stopped = true;
    while (this.jobs.length > 0) this.commitGroup();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.jobs.length > 0) this.commitGroup();
      if (this.jobs.length > 0) this.schedule();
    });
  }

  private commitGroup(): void {
    const jobs = this.jobs;
    this.jobs = [];
    const outcomes = this.runGroup(jobs);
    const unfinished: Job[] = [];
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index] ?? 'unfinished';
      if (outcome === 'unfinished') unfinished.push(job);
      else if ('error' in outcome) job.reject(outcome.error);
      else job.resolve(outcome.value);
    }
    // Those that have not had a turn go first; those that were interrupted wait behind them.
    this.jobs = [
      ...unfinished.filter((job) => !job.steps),
      ...this.jobs,
      ...unfinished.filter((job) => job.steps),
    ];
  }

  private runGroup(jobs: readonly Job[]): Outcome[] {
    try {
      const outcomes = this.runTogether(jobs);
      for (const job of jobs) job.partlyCommitted ||= job.steps !== undefined;
      return outcomes;
    } catch {
      return this.runOneByOne(jobs);
    }
  }

  private runOneByOne(jobs: readonly Job[]): Outcome[] {
    try {
      this.recover();
    } catch (error) {
      return jobs.map(() => ({ error }));
    }
    const outcomes = jobs.map((job) => this.runAlone(job));
    for (const job of jobs) job.partlyCommitted ||= job.steps !== undefined;
    return outcomes;
  }

  private runTogether(jobs: readonly Job[]): Outcome[] {
    const deadline = performance.now() + MAX_GROUP_MS;
    return this.environment.transact(() => {
      const outcomes: Outcome[] = [];
      for (const job of jobs) {
        outcomes.push(attempt(job, deadline));
        if (performance.now() > deadline) break;
      }
      this.beforeCommit();
      return outcomes;
    });
  }

  private runAlone(job: Job): Outcome {
    if (job.partlyCommitted) {
      return { error: new Error('a write was interrupted by the failure of another') };
    }
    delete job.steps;
    try {
      return this.environment.transact(() => {
        const outcome = attempt(job, performance.now() + MAX_GROUP_MS);
        this.beforeCommit();
        return outcome;
      });
    } catch (error) {
      this.recover();
      return { error: error instanceof Poisoned ? error.cause : error };
    }
  }
}

function attempt(job: Job, deadline: number): Outcome {
  try {
    const begun = job.steps ?? job.run();
    if (!isSteps(begun)) return { value: begun };
    job.steps = begun;
    for (;;) {
      const step = begun.next();
      if (step.done) return { value: step.value };
      if (step.value === 'pause' || performance.now() > deadline) return 'unfinished';
    }
  } catch (error) {
    if (error instanceof MongoError) return { error };
    throw new Poisoned(error);
  }
}

function isSteps(value: unknown): value is Steps<unknown> {
  return typeof value === 'object' && value !== null && 'next' in value && Symbol.iterator in value;
}
