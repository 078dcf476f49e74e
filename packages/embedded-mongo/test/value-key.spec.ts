import { Decimal128, Double, Int32, Long } from 'bson';
import { compareValues } from '../src/bson/compare.js';
import { fromPlain } from '../src/bson/encode.js';
import { invert } from '../src/index/btree-index.js';
import { encodeValue } from '../src/index/value-key.js';
import { newSeed, Random, randomValue } from './support/random.js';

describe('encodeValue', () => {
  it('orders keys as BSON orders values, equal for equal ones, none a prefix of another', () => {
    const random = new Random(newSeed());
    const values = Array.from({ length: 700 }, () => fromPlain(randomValue(random, 3)));
    const keys = values.map(encodeValue);
    const wrong: unknown[] = [];
    for (const [i, left] of values.entries()) {
      for (const [j, right] of values.entries()) {
        const expected = Math.sign(compareValues(left, right));
        const [a, b] = [keys[i] as Buffer, keys[j] as Buffer];
        const order = Math.sign(Buffer.compare(a, b));
        const isPrefix = order !== 0 && b.length <= a.length && a.subarray(0, b.length).equals(b);
        const inverted = Math.sign(Buffer.compare(invert(b), invert(a)));
        if (order !== expected || isPrefix || inverted !== expected)
          wrong.push({ left, right, order, expected });
      }
    }
    expect({ seed: random.seed, wrong }).toEqual({ seed: random.seed, wrong: [] });
  });

  it('compares numbers exactly across types', () => {
    const ascending = [
      new Double(Number.NaN),
      new Double(-Infinity),
      Decimal128.fromString('-1E+6000'),
      new Double(-Number.MAX_VALUE),
      Long.MIN_VALUE,
      Long.fromString('-9007199254740993'),
      new Double(-9007199254740992),
      Decimal128.fromString('-1.5'),
      new Int32(-1),
      Decimal128.fromString('-1E-6176'),
      new Double(0),
      Decimal128.fromString('1E-6176'),
      new Double(5e-324),
      Decimal128.fromString('0.1'),
      new Double(0.1),
      Decimal128.fromString('0.1000000000000000055511151231257828'),
      new Int32(1),
      Decimal128.fromString('9007199254740992.5'),
      Long.fromString('9007199254740993'),
      Decimal128.fromString('9007199254740993.1'),
      Long.fromString('9223372036854775807'),
      new Double(2 ** 63),
      new Double(Number.MAX_VALUE),
      Decimal128.fromString('1E+6000'),
      new Double(Infinity),
    ];
    const keys = ascending.map(encodeValue);
    expect(keys.toSorted((a, b) => Buffer.compare(a, b))).toEqual(keys);
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(ascending.length);
  });

  it('gives equal numbers of different types one key', () => {
    const ones = [new Int32(1), new Double(1), Long.fromNumber(1), Decimal128.fromString('1.00')];
    expect(new Set(ones.map((one) => encodeValue(one).toString('hex'))).size).toBe(1);
    const zeros = [new Int32(0), new Double(-0), Decimal128.fromString('-0E+3'), Long.ZERO];
    expect(new Set(zeros.map((zero) => encodeValue(zero).toString('hex'))).size).toBe(1);
  });
});
