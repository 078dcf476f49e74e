/** Runs the tasks of one key one after another, in the order in which they came; tasks of different keys do not wait for each other. */
export class KeyedQueue {
  private readonly tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const previous = this.tails.get(key);
    const current = previous === undefined ? task() : previous.then(task, task);
    this.tails.set(key, current);
    const forget = (): void => {
      if (this.tails.get(key) === current) this.tails.delete(key);
    };
    current.then(forget, forget);
    return current;
  }
}
