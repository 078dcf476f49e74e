import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { decodeDoc } from '../src/bson/decode.js';
import { docFromPlain, encodeDoc, fromPlain } from '../src/bson/encode.js';
import { identicalValues } from '../src/bson/identical.js';
import { checkStorageDepth } from '../src/bson/depth.js';
import {
  BsonType,
  bsonType,
  type Doc,
  isDouble,
  isInt32,
  isLong,
  UNDEFINED,
  type Value,
} from '../src/bson/values.js';
import { MongoError } from '../src/errors.js';
import { randomDoc, randomSource } from './support/random-values.js';

function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof MongoError) return error.code;
    throw error;
  }
  return undefined;
}

const everyType = {
  double: new Double(1),
  negativeZero: new Double(-0),
  nan: new Double(Number.NaN),
  string: 'héllo\u0000wörld 😀',
  doc: { a: { b: 1 } },
  array: [1, 'two', [3]],
  bin: new Binary(Buffer.from([1, 2, 3]), 5),
  oid: new ObjectId(),
  yes: true,
  no: false,
  date: new Date(1),
  nothing: null,
  regex: new BSONRegExp('^a', 'im'),
  code: new Code('return 1'),
  scoped: new Code('return x', { x: 1 }),
  symbol: new BSONSymbol('sym'),
  int: new Int32(-1),
  timestamp: new Timestamp(0xfffffffe00000001n),
  long: Long.fromString('9223372036854775807'),
  decimal: Decimal128.fromString('1.10'),
  min: new MinKey(),
  max: new MaxKey(),
};

describe('decodeDoc and encodeDoc', () => {
  it('give back the very bytes of every type that the driver writes', () => {
    const bytes = BSON.serialize(everyType);
    expect(Buffer.compare(encodeDoc(decodeDoc(bytes)), bytes)).toBe(0);
  });

  it('keep number types and the order of integer-like keys', () => {
    const doc = decodeDoc(
      encodeDoc(
        new Map<string, Value>([
          ['b', new Int32(1)],
          ['1', new Double(1)],
          ['0', Long.fromInt(1)],
        ]),
      ),
    );
    expect([...doc.keys()]).toEqual(['b', '1', '0']);
    expect([isInt32(doc.get('b')), isDouble(doc.get('1')), isLong(doc.get('0'))]).toEqual([true, true, true]);
  });

  it('round-trip random documents', () => {
    const random = randomSource();
    for (let i = 0; i < 300; i++) {
      const doc = randomDoc(random, 3);
      expect(identicalValues(decodeDoc(encodeDoc(doc)), doc)).toBe(true);
    }
  });

  it('keep BSON undefined apart from a missing field', () => {
    const doc: Doc = decodeDoc(encodeDoc(new Map([['u', UNDEFINED]])));
    expect(bsonType(doc.get('u') ?? null)).toBe(BsonType.undefined);
    expect(doc.get('v')).toBeUndefined();
  });

  it('do not keep the network buffer', () => {
    const bytes = Buffer.from(
      BSON.serialize({ id: new ObjectId('0123456789abcdef01234567'), b: Buffer.from('abc') }),
    );
    const doc = decodeDoc(bytes);
    bytes.fill(0xff);
    expect(
      Buffer.compare(
        encodeDoc(doc),
        BSON.serialize({ id: new ObjectId('0123456789abcdef01234567'), b: Buffer.from('abc') }),
      ),
    ).toBe(0);
  });

  it('refuse truncated and damaged bytes without reading past the end', () => {
    const bytes = Buffer.from(BSON.serialize(everyType));
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeDoc(bytes.subarray(0, length)))).toBe(22);
    }
    const random = randomSource();
    for (let i = 0; i < 3000; i++) {
      const damaged = Buffer.from(bytes);
      damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      // codeOf lets nothing but a MongoError pass.
      expect([undefined, 2, 15, 22]).toContain(codeOf(() => decodeDoc(damaged)));
    }
  });

  it('refuse what they cannot carry faithfully', () => {
    const twice = Buffer.from([19, 0, 0, 0, 0x10, 0x61, 0, 1, 0, 0, 0, 0x10, 0x61, 0, 1, 0, 0, 0, 0]);
    expect(codeOf(() => decodeDoc(twice))).toBe(2);
    const date = Buffer.from([16, 0, 0, 0, 9, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0]);
    expect(codeOf(() => decodeDoc(date))).toBe(2);
    const badUtf8 = Buffer.from([14, 0, 0, 0, 2, 0x61, 0, 2, 0, 0, 0, 0xff, 0, 0]);
    expect(codeOf(() => decodeDoc(badUtf8))).toBe(22);
  });

  it('limit the depth of messages to 200 levels and of stored documents to 180', () => {
    const nested = (levels: number): Doc => {
      let doc: Doc = new Map();
      for (let i = 1; i < levels; i++) doc = new Map([['a', doc]]);
      return doc;
    };
    expect(decodeDoc(encodeDoc(nested(200))).size).toBe(1);
    expect(codeOf(() => decodeDoc(encodeDoc(nested(201))))).toBe(15);
    expect(codeOf(() => checkStorageDepth(nested(180)))).toBeUndefined();
    expect(codeOf(() => checkStorageDepth(nested(181)))).toBe(15);
  });

  it('refuse names with NUL when encoding', () => {
    expect(codeOf(() => encodeDoc(new Map([['a\0b', null]])))).toBe(2);
    expect(encodeDoc(docFromPlain({ a: 1 })).length).toBe(12);
  });
});

describe('fromPlain', () => {
  it('chooses Int32 for small integers and Double for the rest', () => {
    expect([1, -0, 1.5, 2 ** 31].map((n) => bsonType(fromPlain(n)))).toEqual([
      BsonType.int,
      BsonType.double,
      BsonType.double,
      BsonType.double,
    ]);
    expect([...docFromPlain({ a: undefined, b: null }).keys()]).toEqual(['b']);
  });
});
