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
import { type Doc, UNDEFINED, type Value } from '../../src/bson/values.js';
import { newSeed, Random as SeededRandom } from './random.js';

export type Random = () => number;

/** Numbers in [0, 1) from a seed that is printed, so that a failure can be repeated with RANDOM_SEED=... */
export function randomSource(): Random {
  const source = new SeededRandom(newSeed());
  process.stdout.write(`random test, RANDOM_SEED=${source.seed}\n`);
  return () => source.next();
}

export function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0];
}

const numbers: readonly [Value, ...Value[]] = [
  new Int32(0),
  new Int32(1),
  new Int32(-1),
  new Int32(2147483647),
  new Double(0),
  new Double(-0),
  new Double(0.1),
  new Double(1),
  new Double(1.5),
  new Double(Number.NaN),
  new Double(Infinity),
  new Double(-Infinity),
  new Double(2 ** 53),
  new Double(2 ** 63),
  new Double(5e-324),
  new Double(1.7976931348623157e308),
  Long.fromInt(1),
  Long.fromString('9007199254740993'),
  Long.fromString('9223372036854775807'),
  Long.fromString('-9223372036854775808'),
  Decimal128.fromString('0'),
  Decimal128.fromString('-0E+10'),
  Decimal128.fromString('0.1'),
  Decimal128.fromString('0.10'),
  Decimal128.fromString('1E-6176'),
  Decimal128.fromString('9.999999999999999999999999999999999E+6144'),
  Decimal128.fromString('9007199254740993'),
  Decimal128.fromString('9223372036854775807.5'),
  Decimal128.fromString('NaN'),
  Decimal128.fromString('Infinity'),
  Decimal128.fromString('-Infinity'),
];

const others: readonly [Value, ...Value[]] = [
  null,
  UNDEFINED,
  true,
  false,
  '',
  'a',
  'b',
  'a\0',
  '\uFFFD',
  '😀',
  new Date(0),
  new Date(-1),
  new ObjectId('0123456789abcdef01234567'),
  new ObjectId('fedcba98765432100123456f'),
  new Binary(Buffer.from([1]), 0),
  new Binary(Buffer.from([0, 1]), 4),
  new BSONRegExp('a', 'i'),
  Timestamp.fromBits(1, 1),
  new Timestamp(0xffffffff00000000n),
  new MinKey(),
  new MaxKey(),
];

export function randomScalar(random: Random): Value {
  return random() < 0.6 ? pick(random, numbers) : pick(random, others);
}

export function randomValue(random: Random, depth: number): Value {
  const kind = random();
  if (depth === 0 || kind < 0.7) return randomScalar(random);
  if (kind < 0.85)
    return Array.from({ length: Math.floor(random() * 3) }, () => randomValue(random, depth - 1));
  return randomDoc(random, depth - 1);
}

export function randomDoc(random: Random, depth: number): Doc {
  const doc: Doc = new Map();
  const fields = Math.floor(random() * 4);
  for (let i = 0; i < fields; i++)
    doc.set(pick(random, ['a', 'b', 'c', '0', '1', '']), randomValue(random, depth));
  return doc;
}
