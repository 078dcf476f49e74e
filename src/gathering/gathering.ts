interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/** In a crowd the first one waits so many times as long: what a round trip costs is then shared by more. */
const MOST_PATIENCE = 4;

/**
 * Lets those who come within a short time share one piece of work, which begins after all of them have come: what it reads is not older than
 * they are. With a thousand joins a second the database is asked dozens of times, not thousands.
 */
export class Gathering<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private isWorking = false;
  /** Twice as much after each work that was shared, up to `MOST_PATIENCE`; 1 after one that was not. */
  private patience = 1;

  /**
   * @param gatheringMs how long the first one waits for others; in a crowd, four times as long
   * @param work returns a result for each item, in their order
   * @param inTurn whether the next work begins only when the one before is over, so that what is written keeps its order; all who come
   * meanwhile share it, the more of them the slower the database is
   */
  constructor(
    private readonly gatheringMs: number,
    private readonly work: (items: T[]) => Promise<R[]>,
    private readonly inTurn = false,
  ) {}

  /** @throws what the work throws, to all who shared it */
  run(item: T): Promise<R> {
    if (this.waiting.length === 0 && !(this.inTurn && this.isWorking)) this.startLater();
    return new Promise((resolve, reject) => this.waiting.push({ item, resolve, reject }));
  }

  private startLater(): void {
    setTimeout(() => void this.start(), this.gatheringMs * this.patience);
  }

  private async start(): Promise<void> {
    const shared = this.waiting;
    this.waiting = [];
    this.isWorking = true;
    this.patience = shared.length > 1 ? Math.min(2 * this.patience, MOST_PATIENCE) : 1;
    try {
      const results = await this.work(shared.map(({ item }) => item));
      for (const [index, { resolve }] of shared.entries()) resolve(results[index] as R);
    } catch (error) {
      for (const { reject } of shared) reject(error);
    }
    this.isWorking = false;
    if (this.inTurn && this.waiting.length > 0) this.startLater();
  }
}
