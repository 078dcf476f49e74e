import { BSONRegExp, Decimal128, Double, Long, MaxKey, MinKey } from 'bson';
import { docFromPlain } from '../src/bson/encode.js';
import { UNDEFINED } from '../src/bson/values.js';
import { MongoError } from '../src/errors.js';
import { compileQuery } from '../src/query/compile.js';

type Plain = Record<string, unknown>;

function matches(filter: Plain, doc: Plain): boolean {
  return compileQuery(docFromPlain(filter)).matches(docFromPlain(doc));
}

function codeOf(filter: Plain): number | undefined {
  try {
    compileQuery(docFromPlain(filter));
  } catch (error) {
    if (error instanceof MongoError) return error.code;
    throw error;
  }
  return undefined;
}

describe('query matching', () => {
  it.each<[Plain, Plain, boolean]>([
    // equality, null, missing
    [{}, { a: 1 }, true],
    [{ a: 1 }, { a: new Double(1) }, true],
    [{ a: 1 }, { a: Long.fromInt(1) }, true],
    [{ a: 1 }, { a: Decimal128.fromString('1.0') }, true],
    [{ a: 1 }, { a: '1' }, false],
    [{ a: 1 }, { a: true }, false],
    [{ a: null }, {}, true],
    [{ a: null }, { a: null }, true],
    [{ a: null }, { a: UNDEFINED }, true],
    [{ a: null }, { a: 0 }, false],
    [{ a: null }, { a: [] }, false],
    [{ a: null }, { a: [1, null] }, true],
    [{ 'a.b': null }, { a: 5 }, true],
    [{ 'a.b': null }, { a: [] }, false],
    [{ 'a.b': null }, { a: [1, 2] }, false],
    [{ 'a.b': null }, { a: [{ b: 1 }, {}] }, true],
    [{ 'a.b': null }, { a: [{ b: 1 }] }, false],
    [{ a: { $ne: null } }, {}, false],
    [{ a: { $ne: null } }, { a: [] }, true],
    [{ a: { $ne: 1 } }, { a: [1, 2] }, false],
    [{ a: { $ne: 1 } }, {}, true],
    // arrays as a whole and by element
    [{ a: [1, 2] }, { a: [1, 2] }, true],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: [1, 2] }, { a: [[1, 2], 3] }, true],
    [{ a: 1 }, { a: [[1]] }, false],
    [{ a: [] }, { a: [] }, true],
    [{ a: [] }, { a: [[]] }, true],
    // documents are compared with their order
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 2 } }, true],
    [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, false],
    [{ a: { b: 1 } }, { a: { b: 1, c: 2 } }, false],
    [{ a: {} }, { a: {} }, true],
    [{ a: {} }, { a: { b: 1 } }, false],
    // type bracketing
    [{ a: { $gt: 1 } }, { a: 'z' }, false],
    [{ a: { $gt: 1 } }, { a: 2 }, true],
    [{ a: { $lt: 5 } }, {}, false],
    [{ a: { $lt: 5 } }, { a: null }, false],
    [{ a: { $gte: null } }, {}, true],
    [{ a: { $gt: null } }, { a: null }, false],
    [{ a: { $lte: null } }, { a: null }, true],
    [{ a: { $lt: true } }, { a: false }, true],
    [{ a: { $gt: {} } }, { a: { b: 1 } }, true],
    [{ a: { $gt: [] } }, { a: [1] }, true],
    [{ a: { $lt: [5] } }, { a: [1, 9] }, true],
    [{ a: { $gt: new MinKey() } }, { a: 1 }, true],
    [{ a: { $lt: new MaxKey() } }, { a: 'x' }, true],
    [{ a: { $gt: 5, $lt: 3 } }, { a: [1, 9] }, true],
    [{ a: { $gt: new Date(0) } }, { a: new Date(1) }, true],
    [{ a: { $gte: Number.NaN } }, { a: Number.NaN }, true],
    [{ a: { $gt: Number.NaN } }, { a: 1 }, false],
    [{ a: { $lt: 1 } }, { a: Number.NaN }, false],
    [{ a: Number.NaN }, { a: Decimal128.fromString('NaN') }, true],
    // in, nin
    [{ a: { $in: [1, 'x'] } }, { a: 'x' }, true],
    [{ a: { $in: [null] } }, {}, true],
    [{ a: { $in: [/^x/i] } }, { a: 'Xy' }, true],
    [{ a: { $in: [] } }, { a: 1 }, false],
    [{ a: { $in: [[1, 2]] } }, { a: [1, 2] }, true],
    [{ a: { $in: [1] } }, { a: [3, 1] }, true],
    [{ a: { $nin: [1] } }, { a: [3, 1] }, false],
    [{ a: { $nin: [1] } }, {}, true],
    // logical
    [{ $or: [{ a: 1 }, { b: 1 }] }, { b: 1 }, true],
    [{ $nor: [{ a: 1 }, { b: 1 }] }, { b: 1 }, false],
    [{ $and: [{ a: { $gt: 1 } }, { a: { $lt: 3 } }] }, { a: 2 }, true],
    [{ a: { $not: { $gt: 1 } } }, { a: 'x' }, true],
    [{ a: { $not: { $gt: 1 } } }, {}, true],
    [{ a: { $not: /^x/ } }, { a: 'xy' }, false],
    // exists, type
    [{ a: { $exists: true } }, { a: null }, true],
    [{ a: { $exists: true } }, {}, false],
    [{ a: { $exists: false } }, {}, true],
    [{ 'a.b': { $exists: true } }, { a: [{}, { b: 1 }] }, true],
    [{ a: { $exists: 0 } }, { a: 1 }, false],
    [{ a: { $type: 'number' } }, { a: Long.fromInt(1) }, true],
    [{ a: { $type: 16 } }, { a: 1 }, true],
    [{ a: { $type: 'int' } }, { a: new Double(1) }, false],
    [{ a: { $type: ['string', 'null'] } }, { a: null }, true],
    [{ a: { $type: 'null' } }, {}, false],
    [{ a: { $type: 'array' } }, { a: [] }, true],
    [{ a: { $type: 'string' } }, { a: [1, 'x'] }, true],
    [{ a: { $type: -1 } }, { a: new MinKey() }, true],
    // size, all, elemMatch, mod
    [{ a: { $size: 2 } }, { a: [1, 2] }, true],
    [{ a: { $size: 1 } }, { a: [[1, 2]] }, true],
    [{ a: { $size: 2 } }, { a: [[1, 2]] }, false],
    [{ a: { $size: 0 } }, {}, false],
    [{ a: { $all: [1, 2] } }, { a: [3, 2, 1] }, true],
    [{ a: { $all: [1, 2] } }, { a: [1] }, false],
    [{ a: { $all: [] } }, { a: [] }, false],
    [{ a: { $all: [1] } }, { a: 1 }, true],
    [{ a: { $all: [[1, 2]] } }, { a: [1, 2] }, true],
    [{ a: { $all: [/^x/] } }, { a: ['xy'] }, true],
    [
      { a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { b: 2 } }] } },
      { a: [{ b: 1 }, { b: 2 }] },
      true,
    ],
    [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, { a: [0, 5] }, false],
    [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, { a: [0, 2] }, true],
    [{ a: { $elemMatch: { $gt: 1 } } }, { a: 2 }, false],
    [
      { a: { $elemMatch: { b: 1, c: 2 } } },
      {
        a: [
          { b: 1, c: 1 },
          { b: 2, c: 2 },
        ],
      },
      false,
    ],
    [{ a: { $elemMatch: { b: 1, c: 2 } } }, { a: [{ b: 1, c: 2 }] }, true],
    [{ a: { $elemMatch: { $or: [{ b: 1 }, { c: 2 }] } } }, { a: [{ c: 2 }] }, true],
    [{ a: { $elemMatch: {} } }, { a: [{}] }, true],
    [{ a: { $elemMatch: {} } }, { a: [1] }, false],
    [{ a: { $elemMatch: { $in: [2] } } }, { a: [[2]] }, false],
    [{ a: { $elemMatch: { $elemMatch: { $gt: 1 } } } }, { a: [[1, 2]] }, true],
    [{ a: { $elemMatch: { 0: 5 } } }, { a: [[5]] }, true],
    [{ a: { $mod: [4, 1] } }, { a: 5 }, true],
    [{ a: { $mod: [4, -1] } }, { a: -5 }, true],
    [{ a: { $mod: [4.9, 1] } }, { a: 5.5 }, true],
    [{ a: { $mod: [4, 1] } }, { a: Number.NaN }, false],
    [{ a: { $bitsAllSet: 5 } }, { a: 7 }, true],
    [{ a: { $bitsAnyClear: [0, 1] } }, { a: 3 }, false],
    [{ a: { $bitsAllSet: [70] } }, { a: -1 }, true],
    // dotted paths
    [{ 'a.b': 1 }, { a: { b: 1 } }, true],
    [{ 'a.b': 1 }, { a: [{ b: 1 }] }, true],
    [{ 'a.b': 1 }, { a: [[{ b: 1 }]] }, false],
    [{ 'a.0': 1 }, { a: [1, 2] }, true],
    [{ 'a.1': 1 }, { a: [1, 2] }, false],
    [{ 'a.0.b': 1 }, { a: [{ b: 1 }] }, true],
    [{ 'a.0.b': 1 }, { a: [[{ b: 1 }]] }, true],
    [{ 'a.0': 1 }, { a: { 0: 1 } }, true],
    [{ 'a.0': 1 }, { a: [{ 0: 1 }] }, true],
    [{ 'a.0': 1 }, { a: [[1, 2]] }, false],
    [{ 'a.0': [1, 2] }, { a: [[1, 2]] }, true],
    [{ 'a.00': 1 }, { a: [1] }, false],
    [{ 'a.b.c': { $gt: 1 } }, { a: [{ b: [{ c: 0 }, { c: 2 }] }] }, true],
    [{ 'a.b': [1] }, { a: [{ b: [1] }] }, true],
    // regular expressions
    [{ a: /^ab/ }, { a: 'abc' }, true],
    [{ a: /^ab/ }, { a: ['x', 'abc'] }, true],
    [{ a: /^ab/ }, { a: 5 }, false],
    [{ a: { $regex: 'AB', $options: 'i' } }, { a: 'cab' }, true],
    [{ a: { $options: 'i', $regex: 'AB' } }, { a: 'cab' }, true],
    [{ a: { $regex: /AB/i } }, { a: 'cab' }, true],
    [{ a: { $regex: 'a', $ne: 'ab' } }, { a: 'ab' }, false],
    [{ a: /x/i }, { a: new BSONRegExp('x', 'i') }, true],
    [{ a: { $eq: /x/i } }, { a: 'x' }, false],
    [{ a: { $not: { $regex: '^x' } } }, { a: 'y' }, true],
    // $expr and others
    [{ $expr: '$a' }, { a: 1 }, true],
    [{ $expr: '$a' }, { a: 0 }, false],
    [{ a: 1, $comment: 'why' }, { a: 1 }, true],
    [{ $alwaysTrue: 1 }, {}, true],
    [{ $alwaysFalse: 1 }, {}, false],
    [{ $or: [{ a: 1 }, { a: { $eq: null } }] }, {}, true],
    [{ $or: [{ a: 1 }, { a: { $ref: 'c', $id: 1 } }] }, { a: { $ref: 'c', $id: 1 } }, true],
    [{ $or: [{ a: 'x' }, { a: /^y/ }] }, { a: 'yy' }, true],
    [{ a: { $ref: 'c', $id: 1 } }, { a: { $ref: 'c', $id: 1 } }, true],
  ])('%#: %j on %j', (filter, doc, expected) => {
    expect(matches(filter, doc)).toBe(expected);
  });

  it.each<[Plain, number]>([
    [{ $foo: 1 }, 2],
    [{ a: { $foo: 1 } }, 2],
    [{ a: { $gt: 1, b: 2 } }, 2],
    [{ $and: [] }, 2],
    [{ $or: {} }, 2],
    [{ $or: [1] }, 2],
    [{ a: { $in: 1 } }, 2],
    [{ a: { $in: [{ $gt: 1 }] } }, 2],
    [{ a: { $not: 1 } }, 2],
    [{ a: { $not: {} } }, 2],
    [{ a: { $gt: /x/ } }, 2],
    [{ a: { $ne: /x/ } }, 2],
    [{ a: UNDEFINED }, 2],
    [{ a: { $type: 'foo' } }, 2],
    [{ a: { $type: 200 } }, 2],
    [{ a: { $type: [] } }, 9],
    [{ a: { $size: -1 } }, 2],
    [{ a: { $size: 1.5 } }, 2],
    [{ a: { $size: 'x' } }, 2],
    [{ a: { $mod: [0, 1] } }, 2],
    [{ a: { $mod: [1] } }, 2],
    [{ a: { $mod: [1, 2, 3] } }, 2],
    [{ a: { $all: 1 } }, 2],
    [{ a: { $all: [{ $gt: 1 }] } }, 2],
    [{ a: { $elemMatch: 1 } }, 2],
    [{ a: { $elemMatch: { $foo: 1 } } }, 2],
    [{ a: { $options: 'i' } }, 2],
    [{ a: { $regex: 1 } }, 2],
    [{ a: { $regex: '(' } }, 51091],
    [{ a: { $regex: 'a', $options: 'q' } }, 51108],
    [{ a: { $regex: /a/i, $options: 'm' } }, 51075],
    [{ $alwaysTrue: 2 }, 9],
    [{ $alwaysFalse: true }, 9],
    [{ $where: 'true' }, 238],
    [{ $text: { $search: 'x' } }, 238],
    [{ a: { $near: [0, 0] } }, 238],
    [{ $expr: { $foo: 1 } }, 168],
  ])('%#: refuses %j with code %d', (filter, code) => {
    expect(codeOf(filter)).toBe(code);
  });

  it.each<[Plain, Plain, number | undefined]>([
    [{ a: 2 }, { a: [1, 2] }, 1],
    [{ 'a.b': 2 }, { a: [{ b: 1 }, { b: 2 }] }, 1],
    [{ a: { $elemMatch: { b: 2 } } }, { a: [{ b: 1 }, { b: 2 }] }, 1],
    [{ a: { $gte: 2 } }, { a: [1, 2, 3] }, 1],
    [{ 'a.b': 2 }, { a: [{ b: [0] }, { b: [1, 2] }] }, 1],
    [{ a: 1 }, { a: 1 }, undefined],
    [{ x: 1, a: { $in: [3] } }, { x: 1, a: [1, 2, 3] }, 2],
    [{ a: 5 }, { a: [1] }, undefined],
    [{ $or: [{ a: 7 }, { a: 2 }] }, { a: [1, 2] }, 1],
    [{ $or: [{ 'a.b': { $eq: 7 } }, { 'a.b': { c: 1 } }] }, { a: [{ b: 0 }, { b: { c: 1 } }] }, 1],
    [{ $or: [{ a: { $gt: 1 } }] }, { a: [1, 2] }, 1],
    [{ $or: [{ a: 7 }, { b: 2 }] }, { a: [1, 7] }, undefined],
    [{ $or: [{ a: 7 }, { a: { $gt: 1 } }] }, { a: [1, 7] }, undefined],
  ])('%#: %j finds in %j the position %p', (filter, doc, position) => {
    expect(compileQuery(docFromPlain(filter)).matchPosition(docFromPlain(doc))).toBe(position);
  });
});
