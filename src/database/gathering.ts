interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/**
 * Lets those who come within a short time share one piece of work, which begins after all of them have come: what it reads is not older than
 * they are. With a thousand joins a second the database is asked dozens of times, not thousands.
 */
export class Gathering<T, R> {
  private waiting: Waiting<T, R>[] = [];

  /**
   * @param gatheringMs how long the first one waits for others
   * @param work returns a result for each item, in their order
   */
  constructor(
    private readonly gatheringMs: number,
    private readonly work: (items: T[]) => Promise<R[]>,
  ) {}

  /** @throws what the work throws, to all who shared it */
  run(item: T): Promise<R> {
    if (this.waiting.length === 0) setTimeout(() => void this.start(), this.gatheringMs);
    return new Promise((resolve, reject) => this.waiting.push({ item, resolve, reject }));
  }

  private async start(): Promise<void> {
    const shared = this.waiting;
    this.waiting = [];
    try {
      const results = await this.work(shared.map(({ item }) => item));
      for (const [index, { resolve }] of shared.entries()) resolve(results[index] as R);
    } catch (error) {
      for (const { reject } of shared) reject(error);
    }
  }
}
