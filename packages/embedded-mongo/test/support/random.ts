import {
  Binary,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';

/** A reproducible source of randomness: the seed of a failing run is printed and can be given as RANDOM_SEED. */
export class Random {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined && items.length === 0) throw new Error('nothing to pick from');
    return item as T;
  }
}

export function newSeed(): number {
  return Number(process.env['RANDOM_SEED'] ?? Date.now() % 1_000_000_007);
}

const DECIMALS = [
  '1',
  '1.0',
  '0.1',
  '1E+3',
  '-2.5',
  '9007199254740993',
  '1E-6176',
  '-1E+6144',
  'NaN',
  'Infinity',
];
const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.1,
  2.5,
  -2.5,
  1e300,
  -1e300,
  5e-324,
  -5e-324,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 53,
];
const LONGS = [
  '0',
  '1',
  '-1',
  '9007199254740993',
  '9007199254740992',
  '-9007199254740993',
  '9223372036854775807',
];
const STRINGS = ['', 'a', 'ab', 'b', 'a\0', 'a\0b', '\0', 'ä', '\u{1f600}', '\uffee', 'A', 'aa'];

/** Few different values of many types, among them those that are easy to get wrong: so that they meet often. */
export function randomScalar(random: Random): unknown {
  switch (random.below(16)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return new Double(random.pick(DOUBLES));
    case 3:
      return Long.fromString(random.pick(LONGS));
    case 4:
      return Decimal128.fromString(random.pick(DECIMALS));
    case 5:
    case 6:
    case 7:
      return new Int32(random.below(7) - 3);
    case 8:
    case 9:
    case 10:
      return random.pick(STRINGS);
    case 11:
      return new Date(random.pick([0, -1, 1, 1e12, -1e12]));
    case 12:
      return new ObjectId(
        random.pick(['000000000000000000000000', 'ffffffffffffffffffffffff', '0a0b0c0d0e0f000102030405']),
      );
    case 13:
      return new Binary(Buffer.alloc(random.below(3), random.below(2)), random.pick([0, 4, 0x80]));
    case 14:
      return new Timestamp({ t: random.below(2), i: random.below(2) });
    default:
      return random.pick([new MinKey(), new MaxKey(), new BSONRegExp('a', 'i'), new BSONRegExp('b', '')]);
  }
}

export function randomValue(random: Random, depth = 2): unknown {
  if (depth > 0 && random.chance(0.15)) {
    return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  }
  if (depth > 0 && random.chance(0.12)) {
    const names = ['x', 'y', 'a\u0001'].slice(0, random.below(4));
    return Object.fromEntries(names.map((name) => [name, randomValue(random, depth - 1)]));
  }
  return randomScalar(random);
}
