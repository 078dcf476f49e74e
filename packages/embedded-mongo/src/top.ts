export interface TopOptions<T> {
  /** How many of the first entries are wanted; Infinity: all. */
  readonly wanted: number;
  readonly order: (a: T, b: T) => number;
  /** An entry's size in bytes. */
  readonly size: (entry: T) => number;
  /** What the wanted entries may take, in bytes. While reading half as much again may be held. */
  readonly maxBytes: number;
  readonly tooLarge: () => Error;
}

/** Sorts entries as they come and keeps only those wanted; entries that compare equal keep their order. */
export class Top<T> {
  private kept: T[] = [];
  private bytes = 0;
  private compactAt: number;
  private worst: T | undefined;

  constructor(private readonly options: TopOptions<T>) {
    this.compactAt = options.maxBytes;
  }

  /** Throws the error of `tooLarge` where the wanted entries take too much. */
  add(entry: T): void {
    const { wanted, order, size } = this.options;
    if (this.worst !== undefined && order(entry, this.worst) >= 0) return;
    this.kept.push(entry);
    this.bytes += size(entry);
    if (this.kept.length >= 2 * wanted + 64 || this.bytes > this.compactAt) this.compact();
  }

  sorted(): T[] {
    this.compact();
    return this.kept;
  }

  private compact(): void {
    const { wanted, order, size, maxBytes, tooLarge } = this.options;
    if (this.kept.length > wanted) {
      this.kept.sort(order);
      this.kept = this.kept.slice(0, wanted);
      this.bytes = this.kept.reduce((sum, entry) => sum + size(entry), 0);
    } else if (this.bytes <= maxBytes) this.kept.sort(order);
    if (this.bytes > maxBytes) throw tooLarge();
    // Room for more, lest every further entry sort all of them again.
    this.compactAt = Math.max(maxBytes, this.bytes + maxBytes / 2);
    if (this.kept.length >= wanted) this.worst = this.kept.at(-1);
  }
}
