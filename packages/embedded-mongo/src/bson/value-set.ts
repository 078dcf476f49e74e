import { valuesEqual } from './compare.js';
import { equalityKey } from './equality-key.js';
import type { Value } from './values.js';

/** Above this size looking through all values costs more than making keys of them. */
const SMALL = 16;

/** Distinct values in the order of their coming; values that compare equal, such as 1 and 1.0, are the same. */
export class ValueSet {
  readonly values: Value[] = [];
  private keys: Set<string> | undefined;

  constructor(values: readonly Value[] = []) {
    for (const value of values) this.add(value);
  }

  has(value: Value): boolean {
    if (this.keys) return this.keys.has(equalityKey(value));
    return this.values.some((other) => valuesEqual(other, value));
  }

  /** Whether the value was new. */
  add(value: Value): boolean {
    if (this.has(value)) return false;
    this.values.push(value);
    if (this.keys) this.keys.add(equalityKey(value));
    else if (this.values.length > SMALL) this.keys = new Set(this.values.map(equalityKey));
    return true;
  }
}
