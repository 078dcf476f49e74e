/** Runs work side by side, so much at a time; work of one key that follows on work of the same key waits for it. */
export class Lanes {
  private readonly underWay = new Set<Promise<void>>();
  private last: { key: string; done: Promise<void> } | undefined;
  private failure: { error: unknown } | undefined;

  constructor(private readonly limit: number) {}

  /**
   * Waits until there is room for the work, not until it is done.
   * @throws what earlier work has thrown; nothing is started any more then
   */
  async start(key: string, work: () => Promise<void>): Promise<void> {
    while (this.underWay.size >= this.limit) await Promise.race(this.underWay);
    this.assertNoFailure();
    const before = this.last?.key === key ? this.last.done : Promise.resolve();
    const done = before
      .then(() => (this.failure === undefined ? work() : undefined))
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.underWay.delete(done));
    this.underWay.add(done);
    this.last = { key, done };
  }

  /** @throws what any of the work has thrown, when all of it has ended */
  async end(): Promise<void> {
    await Promise.all(this.underWay);
    this.assertNoFailure();
  }

  private assertNoFailure(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}
