import { Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { canonicalType, compareValues } from '../src/bson/compare.js';
import { identicalValues } from '../src/bson/identical.js';
import { equalityKey } from '../src/bson/equality-key.js';
import { ValueSet } from '../src/bson/value-set.js';
import { fromPlain } from '../src/bson/encode.js';
import { UNDEFINED, type Value } from '../src/bson/values.js';
import { randomSource, randomValue } from './support/random-values.js';

const decimal = (text: string) => Decimal128.fromString(text);

describe('compareValues', () => {
  it('orders the types as MongoDB does', () => {
    const ascending: Value[] = [
      new MinKey(),
      UNDEFINED,
      null,
      new Double(Number.NaN),
      new Int32(1),
      'a',
      new Map(),
      [],
      fromPlain(Buffer.from('x')),
      new ObjectId(),
      false,
      new Date(),
      Timestamp.fromBits(1, 1),
      fromPlain(/a/),
      new MaxKey(),
    ];
    for (const [i, value] of ascending.entries()) {
      for (const [j, other] of ascending.entries()) {
        expect(Math.sign(compareValues(value, other))).toBe(Math.sign(i - j));
      }
    }
  });

  it.each<[Value, Value, number]>([
    [new Int32(1), new Double(1), 0],
    [new Double(-0), new Int32(0), 0],
    [new Double(-0), decimal('0E+10'), 0],
    [new Double(Number.NaN), decimal('NaN'), 0],
    [new Double(Number.NaN), new Double(-Infinity), -1],
    [Long.fromString('9007199254740993'), new Double(9007199254740992), 1],
    [Long.fromString('9223372036854775807'), new Double(2 ** 63), -1],
    [Long.fromString('-9223372036854775808'), new Double(-(2 ** 63)), 0],
    [decimal('0.1'), new Double(0.1), -1],
    [decimal('0.5'), new Double(0.5), 0],
    [decimal('1.10'), decimal('1.1'), 0],
    [decimal('1E+6000'), new Double(1e308), 1],
    [decimal('9007199254740993'), Long.fromString('9007199254740993'), 0],
    [decimal('-1E-6176'), new Double(-5e-324), 1],
    [decimal('Infinity'), new Double(Infinity), 0],
    ['\uFFFD', '😀', -1],
    ['a', 'a\0', -1],
    [fromPlain({ a: 1, b: 1 }), fromPlain({ b: 1, a: 1 }), -1],
    [fromPlain({ a: 'x' }), fromPlain({ b: 1 }), 1],
    [fromPlain({ a: 1 }), fromPlain({ a: 1, b: 1 }), -1],
    [fromPlain([1, 2]), fromPlain([1, 2, 0]), -1],
    [fromPlain([2]), fromPlain([1, 2]), 1],
  ])('%#: puts two values in the right order', (a, b, expected) => {
    expect(Math.sign(compareValues(a, b))).toBe(expected);
    expect(Math.sign(compareValues(b, a))).toBe(expected === 0 ? 0 : -expected);
  });

  it('is a total order over random values of all types', () => {
    const random = randomSource();
    for (let i = 0; i < 20_000; i++) {
      const [a, b, c] = [randomValue(random, 2), randomValue(random, 2), randomValue(random, 2)] as const;
      const ab = Math.sign(compareValues(a, b));
      const bc = Math.sign(compareValues(b, c));
      expect(compareValues(a, a)).toBe(0);
      expect(ab + Math.sign(compareValues(b, a))).toBe(0);
      const isTransitive = ab > 0 || bc > 0 || Math.sign(compareValues(a, c)) === Math.min(ab, bc);
      expect(isTransitive).toBe(true);
      expect(ab !== 0 || canonicalType(a) === canonicalType(b)).toBe(true);
    }
  });
});

describe('equalityKey', () => {
  it('is the same for values that compare equal, and for no others', () => {
    const random = randomSource();
    for (let i = 0; i < 20_000; i++) {
      const [a, b] = [randomValue(random, 1), randomValue(random, 1)] as const;
      expect(equalityKey(a) === equalityKey(b)).toBe(compareValues(a, b) === 0);
    }
  });

  it('serves sets of any size', () => {
    const set = new ValueSet(Array.from({ length: 100 }, (_, i) => new Int32(i % 50)));
    expect(set.values.length).toBe(50);
    expect([set.has(new Double(49)), set.has(new Double(50)), set.add(decimal('49.0'))]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('identicalValues', () => {
  it('tells apart what compares equal but is stored differently', () => {
    expect(identicalValues(new Int32(1), new Double(1))).toBe(false);
    expect(identicalValues(new Double(0), new Double(-0))).toBe(false);
    expect(identicalValues(decimal('1.0'), decimal('1.00'))).toBe(false);
    expect(identicalValues(fromPlain({ a: [1, { b: 2 }] }), fromPlain({ a: [1, { b: 2 }] }))).toBe(true);
    expect(identicalValues(fromPlain({ a: 1, b: 2 }), fromPlain({ b: 2, a: 1 }))).toBe(false);
  });
});
