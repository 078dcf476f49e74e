import { Double, Int32 } from 'bson';
import { toDouble } from '../bson/arithmetic.js';
import { approximateSize } from '../bson/size.js';
import { isNumber, type Doc, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { isAbsent, type Maybe } from './arguments.js';
import { equalityKey } from '../bson/equality-key.js';
import { compareMaybe } from './operators/logic.js';
import { mergeInto } from './operators/objects.js';
import { Summation } from './summation.js';

/** Collects the values of one group. */
export interface Accumulator {
  add(value: Maybe): void;
  result(): Value;
  /** What the values held take, roughly; absent where they take nothing that grows. */
  readonly bytes?: number;
}

export type AccumulatorFactory = () => Accumulator;

class Sum implements Accumulator {
  private readonly total = new Summation();

  constructor(private readonly average: boolean) {}

  add(value: Maybe): void {
    if (isNumber(value)) this.total.add(value);
  }

  result(): Value {
    return this.average ? this.total.average() : this.total.sum();
  }
}

class Extreme implements Accumulator {
  bytes = 0;
  private best: Maybe;

  constructor(private readonly sign: 1 | -1) {}

  add(value: Maybe): void {
    if (isAbsent(value)) return;
    if (this.best !== undefined && compareMaybe(value, this.best) * this.sign <= 0) return;
    this.best = value;
    this.bytes = approximateSize(value);
  }

  result(): Value {
    return this.best ?? null;
  }
}

class First implements Accumulator {
  bytes = 0;
  private seen = false;
  private value: Maybe;

  constructor(private readonly keepsLast: boolean) {}

  add(value: Maybe): void {
    if (this.seen && !this.keepsLast) return;
    this.seen = true;
    this.value = value;
    this.bytes = approximateSize(value);
  }

  result(): Value {
    return this.value ?? null;
  }
}

class Push implements Accumulator {
  bytes = 0;
  private readonly values: Value[] = [];

  add(value: Maybe): void {
    if (value === undefined) return;
    this.values.push(value);
    this.bytes += approximateSize(value);
  }

  result(): Value {
    return this.values;
  }
}

class AddToSet implements Accumulator {
  bytes = 0;
  private readonly values = new Map<string, Value>();

  add(value: Maybe): void {
    if (value === undefined) return;
    const key = equalityKey(value);
    if (this.values.has(key)) return;
    this.values.set(key, value);
    this.bytes += key.length + approximateSize(value);
  }

  result(): Value {
    return [...this.values.values()];
  }
}

class MergeObjects implements Accumulator {
  bytes = 0;
  private readonly merged: Doc = new Map();

  add(value: Maybe): void {
    if (value instanceof Map) {
      for (const [name, field] of value) {
        const old = this.merged.get(name);
        this.bytes += approximateSize(field) - (old === undefined ? -name.length : approximateSize(old));
      }
    }
    mergeInto(this.merged, value);
  }

  result(): Value {
    return this.merged;
  }
}

/** Welford's method: one pass without the loss of subtracting large squares. */
class StandardDeviation implements Accumulator {
  private count = 0;
  private mean = 0;
  private squares = 0;

  constructor(private readonly ofSample: boolean) {}

  add(value: Maybe): void {
    if (!isNumber(value)) return;
    const n = toDouble(value);
    this.count++;
    const delta = n - this.mean;
    this.mean += delta / this.count;
    this.squares += delta * (n - this.mean);
  }

  result(): Value {
    const divisor = this.ofSample ? this.count - 1 : this.count;
    return divisor <= 0 ? null : new Double(Math.sqrt(this.squares / divisor));
  }
}

class Count implements Accumulator {
  private readonly total = new Summation();

  add(): void {
    this.total.add(new Int32(1));
  }

  result(): Value {
    return this.total.sum();
  }
}

const ACCUMULATORS: ReadonlyMap<string, AccumulatorFactory> = new Map<string, AccumulatorFactory>([
  ['$sum', () => new Sum(false)],
  ['$avg', () => new Sum(true)],
  ['$min', () => new Extreme(-1)],
  ['$max', () => new Extreme(1)],
  ['$first', () => new First(false)],
  ['$last', () => new First(true)],
  ['$push', () => new Push()],
  ['$addToSet', () => new AddToSet()],
  ['$mergeObjects', () => new MergeObjects()],
  ['$stdDevPop', () => new StandardDeviation(false)],
  ['$stdDevSamp', () => new StandardDeviation(true)],
  ['$count', () => new Count()],
]);

/** Throws 15952 for an accumulator that is unknown or not supported. */
export function accumulatorFactory(name: string): AccumulatorFactory {
  const factory = ACCUMULATORS.get(name);
  if (factory) return factory;
  throw new MongoError(15952, `unknown group operator '${name}'`);
}
