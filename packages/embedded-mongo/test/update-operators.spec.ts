import { Decimal128, Double, Int32, Long } from 'bson';
import { fromPlain } from '../src/bson/encode.js';
import { compileUpdate } from '../src/update/compile.js';
import { doc, errorOf, type Plain, shape, typed, typedOf } from './support/plain.js';

interface Options {
  readonly arrayFilters?: Plain[];
  readonly position?: number;
  readonly isInsert?: boolean;
}

const now = new Date('2024-05-06T07:08:09.010Z');

function run(before: Plain, update: unknown, options: Options = {}) {
  const { arrayFilters = [], position, isInsert = false } = options;
  return compileUpdate(fromPlain(update), arrayFilters.map(doc)).apply(doc(before), {
    isInsert,
    now,
    ...(position === undefined ? {} : { position }),
  });
}

const decimal = (text: string) => Decimal128.fromString(text);
const long = (text: string) => Long.fromString(text);

describe('update operators', () => {
  it.each<[Plain, unknown, Plain]>([
    // $set
    [{ _id: 1 }, { $set: { b: 1, a: 2 } }, { _id: 1, a: 2, b: 1 }],
    [{ _id: 1, a: { b: 1 } }, { $set: { 'a.c': 2 } }, { _id: 1, a: { b: 1, c: 2 } }],
    [{ _id: 1 }, { $set: { 'a.b.c': 2 } }, { _id: 1, a: { b: { c: 2 } } }],
    [{ _id: 1 }, { $set: { 'a.0': 2 } }, { _id: 1, a: { 0: 2 } }],
    [{ _id: 1, a: [1, 2] }, { $set: { 'a.1': 5 } }, { _id: 1, a: [1, 5] }],
    [{ _id: 1, a: [1] }, { $set: { 'a.3': 5 } }, { _id: 1, a: [1, null, null, 5] }],
    [{ _id: 1, a: [{ b: 1 }] }, { $set: { 'a.0.b': 5, 'a.0.c': 6 } }, { _id: 1, a: [{ b: 5, c: 6 }] }],
    [{ _id: 1, a: 1 }, { $set: { a: new Double(1) } }, { _id: 1, a: new Double(1) }],
    [{ _id: 1, a: 1 }, { $set: { _id: 1, a: 2 } }, { _id: 1, a: 2 }],
    // $unset
    [{ _id: 1, a: 1, b: 2 }, { $unset: { a: '' } }, { _id: 1, b: 2 }],
    [{ _id: 1, a: { b: 1 } }, { $unset: { 'a.b': 1 } }, { _id: 1, a: {} }],
    [{ _id: 1, a: [1, 2] }, { $unset: { 'a.0': 1 } }, { _id: 1, a: [null, 2] }],
    [{ _id: 1, a: 5 }, { $unset: { 'a.b': 1 } }, { _id: 1, a: 5 }],
    [{ _id: 1 }, { $unset: { 'a.b': 1 } }, { _id: 1 }],
    // $inc and $mul with their types
    [{ a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
    [{}, { $inc: { a: 2 } }, { a: 2 }],
    [{ a: 2147483647 }, { $inc: { a: 1 } }, { a: long('2147483648') }],
    [{ a: long('1') }, { $inc: { a: 1 } }, { a: long('2') }],
    [{ a: 1 }, { $inc: { a: new Double(1) } }, { a: new Double(2) }],
    [{ a: new Double(0.5) }, { $inc: { a: long('1') } }, { a: new Double(1.5) }],
    [{ a: decimal('1.10') }, { $inc: { a: 1 } }, { a: decimal('2.10') }],
    [{ a: decimal('1') }, { $inc: { a: new Double(0.1) } }, { a: decimal('1.100000000000000') }],
    [{ a: new Double(1) }, { $inc: { a: decimal('1') } }, { a: decimal('2.00000000000000') }],
    [
      { a: decimal('9999999999999999999999999999999999') },
      { $inc: { a: decimal('0.5') } },
      { a: decimal('1.000000000000000000000000000000000E+34') },
    ],
    [{ a: 3 }, { $mul: { a: 2 } }, { a: 6 }],
    [{}, { $mul: { a: 2 } }, { a: 0 }],
    [{}, { $mul: { a: long('2') } }, { a: long('0') }],
    [{}, { $mul: { a: new Double(2) } }, { a: new Double(0) }],
    [{ a: 2147483647 }, { $mul: { a: 2 } }, { a: long('4294967294') }],
    [{ a: decimal('1.10') }, { $mul: { a: decimal('2.0') } }, { a: decimal('2.200') }],
    [{ a: 2 }, { $mul: { a: new Double(1.5) } }, { a: new Double(3) }],
    // $min, $max
    [{ a: 5 }, { $min: { a: 3 } }, { a: 3 }],
    [{ a: 5 }, { $min: { a: 'x' } }, { a: 5 }],
    [{ a: 5 }, { $max: { a: 'x' } }, { a: 'x' }],
    [{}, { $max: { a: 1 } }, { a: 1 }],
    [{ a: 5 }, { $max: { a: new Double(5) } }, { a: 5 }],
    // $setOnInsert
    [{ a: 1 }, { $setOnInsert: { b: 1, 'a.b': 1 } }, { a: 1 }],
    // $push
    [{ a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
    [{}, { $push: { 'a.b': 2 } }, { a: { b: [2] } }],
    [{ a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] }],
    [{ a: [1] }, { $push: { a: { $each: [3, 2], $sort: 1 } } }, { a: [1, 2, 3] }],
    [{ a: [1] }, { $push: { a: { $each: [3, 2], $sort: -1, $slice: 2 } } }, { a: [3, 2] }],
    // Arrays within the elements are compared as a whole.
    [
      { a: [{ x: [5, 1] }] },
      { $push: { a: { $each: [{ x: [2] }, { x: 9 }], $sort: { x: 1 } } } },
      { a: [{ x: 9 }, { x: [2] }, { x: [5, 1] }] },
    ],
    [
      { a: [{ x: [2], y: [1] }] },
      { $push: { a: { $each: [{ x: [2], y: [0] }], $sort: { x: 1, 'y.0': 1 } } } },
      {
        a: [
          { x: [2], y: [0] },
          { x: [2], y: [1] },
        ],
      },
    ],
    [{ a: [1, 2] }, { $push: { a: { $each: [8, 9], $position: 1 } } }, { a: [1, 8, 9, 2] }],
    [{ a: [1, 2, 3] }, { $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 2, 9, 3] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: 50 } } }, { a: [1, 2, 9] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [3], $slice: -2 } } }, { a: [2, 3] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [], $slice: 0 } } }, { a: [] }],
    [{}, { $push: { a: { $each: [] } } }, { a: [] }],
    [
      { a: [{ x: 2, y: 1 }] },
      { $push: { a: { $each: [{ x: 1 }, { x: 2, y: 0 }], $sort: { x: 1, y: -1 } } } },
      { a: [{ x: 1 }, { x: 2, y: 1 }, { x: 2, y: 0 }] },
    ],
    // $addToSet
    [{ a: [1] }, { $addToSet: { a: 2 } }, { a: [1, 2] }],
    [{ a: [1] }, { $addToSet: { a: { $each: [1, 2, 2] } } }, { a: [1, 2] }],
    [
      { a: [{ x: 1, y: 2 }] },
      { $addToSet: { a: { y: 2, x: 1 } } },
      {
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
    ],
    [{ a: [1] }, { $addToSet: { a: [1] } }, { a: [1, [1]] }],
    [{}, { $addToSet: { a: 1 } }, { a: [1] }],
    // $pull, $pullAll, $pop
    [{ a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
    [{ a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
    [{ a: [{ x: 1, y: 2 }, { x: 2 }] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }] }],
    [{ a: [{ x: 1 }, 5] }, { $pull: { a: {} } }, { a: [5] }],
    [{ a: ['ab', 'b'] }, { $pull: { a: /^a/ } }, { a: ['b'] }],
    [{ a: [[1], 1] }, { $pull: { a: [1] } }, { a: [1] }],
    [{ a: [{ b: [{ c: 1 }, { c: 2 }] }] }, { $pull: { a: { b: { $elemMatch: { c: 2 } } } } }, { a: [] }],
    [{ a: [1, 2] }, { $pull: { a: { $in: [1, 2] } } }, { a: [] }],
    [
      { a: [{ x: 1 }, { x: 2 }, { x: 5 }, 1] },
      { $pull: { a: { $or: [{ x: 1 }, { x: 5 }] } } },
      { a: [{ x: 2 }, 1] },
    ],
    [{ a: [{ x: 1 }, { x: 2 }, 1] }, { $pull: { a: { $nor: [{ x: 1 }] } } }, { a: [{ x: 1 }, 1] }],
    [{ b: 1 }, { $pull: { a: 1 } }, { b: 1 }],
    [{ a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    [{ a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] }],
    [{ a: [1, 2, 3] }, { $pop: { a: -1 } }, { a: [2, 3] }],
    [{ a: [] }, { $pop: { a: 1 } }, { a: [] }],
    // $rename
    [{ a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 }],
    [{ a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
    [{ a: { x: 1 }, b: 2 }, { $rename: { 'a.x': 'c.d' } }, { a: {}, b: 2, c: { d: 1 } }],
    [{ b: 2 }, { $rename: { a: 'b.c' } }, { b: 2 }],
    // $currentDate, $bit
    [{}, { $currentDate: { a: true, b: { $type: 'date' } } }, { a: now, b: now }],
    [{ a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
    [{ a: 1 }, { $bit: { a: { or: long('2') } } }, { a: long('3') }],
    [{}, { $bit: { a: { xor: 5 } } }, { a: 5 }],
    // several at once
    [
      { n: 1, l: [1], x: 1 },
      { $inc: { n: 1 }, $push: { l: 2 }, $unset: { x: 1 }, $set: { s: 'y' } },
      { n: 2, l: [1, 2], s: 'y' },
    ],
    [{ a: 1 }, { $set: {} }, { a: 1 }],
    // replacement and pipelines
    [{ _id: 1, a: 1 }, { b: 2 }, { _id: 1, b: 2 }],
    [
      { _id: 1, a: 1 },
      { b: 2, _id: 1 },
      { _id: 1, b: 2 },
    ],
    [{ _id: 1, a: 1 }, {}, { _id: 1 }],
    [{ _id: 1, a: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }, { $unset: 'a' }], { _id: 1, b: 2 }],
    [{ _id: 1, a: 1 }, [{ $replaceWith: { c: '$a' } }], { _id: 1, c: 1 }],
    [{ _id: 1, a: 1, b: 1 }, [{ $project: { a: 1 } }], { _id: 1, a: 1 }],
    [{ _id: 1 }, [{ $set: { at: '$$NOW' } }], { _id: 1, at: now }],
  ])('%#: %j, %j', (before, update, after) => {
    const input = doc(before);
    const result = run(before, update);
    expect(typed(result)).toEqual(typedOf(after));
    expect(shape(result)).toEqual(shape(doc(after)));
    expect(typed(input)).toEqual(typedOf(before));
  });

  it.each<[Plain, Plain, Options, Plain]>([
    [{ a: [1, 2, 3] }, { $set: { 'a.$': 9 } }, { position: 1 }, { a: [1, 9, 3] }],
    [{ a: [{ b: 1 }, { b: 2 }] }, { $inc: { 'a.$.b': 5 } }, { position: 1 }, { a: [{ b: 1 }, { b: 7 }] }],
    [{ a: [1, 2, 3] }, { $inc: { 'a.$[]': 1 } }, {}, { a: [2, 3, 4] }],
    [{ a: [{ b: 1 }, {}] }, { $set: { 'a.$[].c': 1 } }, {}, { a: [{ b: 1, c: 1 }, { c: 1 }] }],
    [{ a: [1, 5, 9] }, { $set: { 'a.$[x]': 0 } }, { arrayFilters: [{ x: { $gte: 5 } }] }, { a: [1, 0, 0] }],
    [
      {
        a: [
          { k: 1, v: 1 },
          { k: 2, v: 2 },
        ],
      },
      { $set: { 'a.$[e].v': 9 } },
      { arrayFilters: [{ 'e.k': 2 }] },
      {
        a: [
          { k: 1, v: 1 },
          { k: 2, v: 9 },
        ],
      },
    ],
    [
      { a: [{ b: [1, 2] }, { b: [2, 3] }] },
      { $inc: { 'a.$[].b.$[n]': 10 } },
      { arrayFilters: [{ n: { $gt: 1 } }] },
      { a: [{ b: [1, 12] }, { b: [12, 13] }] },
    ],
    [
      { a: [{ k: 1 }, { k: 2 }] },
      { $set: { 'a.$[x].p': 1, 'a.$[y].q': 2 } },
      { arrayFilters: [{ 'x.k': { $gte: 1 } }, { 'y.k': 2 }] },
      {
        a: [
          { k: 1, p: 1 },
          { k: 2, p: 1, q: 2 },
        ],
      },
    ],
    [
      { a: [{ k: 1, l: 1 }] },
      { $set: { 'a.$[x].p': 1 } },
      { arrayFilters: [{ $or: [{ 'x.k': 2 }, { 'x.l': 1 }] }] },
      { a: [{ k: 1, l: 1, p: 1 }] },
    ],
    [{ a: [1, 2] }, { $unset: { 'a.$[]': 1 } }, {}, { a: [null, null] }],
    [{}, { $setOnInsert: { b: 1 }, $set: { a: 1 } }, { isInsert: true }, { a: 1, b: 1 }],
    [{ _id: 7 }, { b: 1 }, { isInsert: true }, { _id: 7, b: 1 }],
    [{}, { $set: { _id: 3 } }, { isInsert: true }, { _id: 3 }],
  ])('%#: %j, %j with %j', (before, update, options, after) => {
    expect(typed(run(before, update, options))).toEqual(typedOf(after));
  });

  it('appends new fields in the order of their names, numeric ones by number', () => {
    const result = run({ z: 1 }, { $set: { b: 1, 'c.10': 1, 'c.9': 1 }, $inc: { a: 1 }, $push: { aa: 1 } });
    expect(shape(result)).toEqual(['z', 'a', 'aa', 'b', 'c', ['9', '10']]);
  });

  it.each<[Plain, unknown]>([
    [{ a: 1 }, { $set: { a: 1 } }],
    [{ a: { b: [1, { c: 1 }] } }, { $set: { 'a.b.1.c': 1 } }],
    [{ a: 1 }, { $unset: { b: 1 } }],
    [{ a: 1 }, { $inc: { a: 0 } }],
    [{ a: 1 }, { $min: { a: 2 } }],
    [{ a: [1] }, { $addToSet: { a: 1 } }],
    [{ a: [1] }, { $pull: { a: 2 } }],
    [{ a: [1] }, { $push: { a: { $each: [] } } }],
    [{ a: 1 }, { $rename: { x: 'y' } }],
    [{ a: 1 }, { $set: {} }],
    [
      { _id: 1, a: 1 },
      { _id: 1, a: 1 },
    ],
    [{ _id: 1, a: 1 }, [{ $set: { a: 1 } }]],
  ])('%#: gives the very same document back when nothing changes: %j, %j', (before, update) => {
    const input = doc(before);
    expect(compileUpdate(fromPlain(update)).apply(input, { isInsert: false, now })).toBe(input);
  });

  it('shares what it does not touch', () => {
    const input = doc({ a: { x: 1 }, b: { y: 1 } });
    const result = compileUpdate(fromPlain({ $set: { 'a.x': 2 } })).apply(input, { isInsert: false, now });
    expect(result.get('b')).toBe(input.get('b'));
    expect(result.get('a')).not.toBe(input.get('a'));
  });

  it('keeps apart number types that compare equal', () => {
    expect(typed(run({ a: new Int32(1) }, { $set: { a: long('1') } }))).toEqual({ a: 'long:1' });
  });
});

describe('refused updates', () => {
  it.each<[Plain, unknown, number, string?, Options?]>([
    [
      { a: 'x' },
      { $inc: { a: 1 } },
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string",
    ],
    [{ a: null }, { $inc: { a: 1 } }, 14],
    [{}, { $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}'],
    [{}, { $mul: { a: 'x' } }, 14, 'Cannot multiply with non-numeric argument: {a: "x"}'],
    [
      { a: long('9223372036854775807') },
      { $inc: { a: 1 } },
      2,
      'Failed to apply $inc operations to current value ((NumberLong)9223372036854775807) for document {_id: 1}',
    ],
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
    [{ a: [] }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: []}"],
    [{ a: null }, { $set: { 'a.b': 1 } }, 28],
    [{ a: 1 }, { $pop: { 'a.b': 1 } }, 28],
    [
      { a: 1 },
      { $push: { a: 1 } },
      2,
      "The field 'a' must be an array but is of type int in document {_id: 1}",
    ],
    [
      { a: 1 },
      { $addToSet: { a: 1 } },
      2,
      "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int",
    ],
    [{ a: 1 }, { $pull: { a: 1 } }, 2, 'Cannot apply $pull to a non-array value'],
    [{ a: 1 }, { $pop: { a: 1 } }, 14, "Path 'a' contains an element of non-array type 'int'"],
    [{ a: [] }, { $pop: { a: 2 } }, 9, '$pop expects 1 or -1, found: 2'],
    [{}, { $push: { a: { $each: 1 } } }, 2],
    [{}, { $push: { a: { $each: [], $foo: 1 } } }, 2],
    [{}, { $push: { a: { $each: [], $slice: 1.5 } } }, 2],
    [{ a: [1] }, { $pull: { a: { $not: { $gt: 1 } } } }, 2],
    [{ a: [1] }, { $pull: { a: { $eq: 1 } } }, 2],
    [{}, [{ $foo: 1 }], 40324],
    [{}, [{ $limit: 1 }], 72],
    [{}, [{ $replaceRoot: {} }], 40414],
    [{}, { $push: { a: { $each: [], $sort: {} } } }, 2],
    [{}, { $push: { a: { $each: [], $sort: 2 } } }, 2],
    [{}, { $addToSet: { a: { $each: 1 } } }, 14],
    [{}, { $pullAll: { a: 1 } }, 2],
    [{}, { $set: { a: 1, 'a.b': 2 } }, 40, "Updating the path 'a.b' would create a conflict at 'a'"],
    [
      {},
      { $set: { 'a.b': 2 }, $unset: { a: 1 } },
      40,
      "Updating the path 'a' would create a conflict at 'a'",
    ],
    [{}, { $inc: { a: 1 }, $set: { a: 1 } }, 40],
    [{}, { $rename: { a: 'b' }, $set: { b: 1 } }, 40],
    [{}, { $set: { 'a.$[]': 1, 'a.0': 1 } }, 40],
    [{ a: [1] }, { $set: { 'a.$': 1, 'a.0': 2 } }, 40, undefined, { position: 0 }],
    [
      {},
      { $set: { _id: 2 } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [{}, { $unset: { _id: 1 } }, 66],
    [
      {},
      { _id: 2, a: 1 },
      66,
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    [{}, [{ $set: { _id: 2 } }], 66],
    [{}, { $foo: { a: 1 } }, 9],
    [{}, { $set: 1 }, 9],
    [{}, { $set: { a: 1 }, b: 2 }, 9],
    [{}, { a: 1, $set: { b: 2 } }, 52],
    [{}, { $set: { '': 1 } }, 56],
    [{}, { $set: { 'a..b': 1 } }, 56],
    [{}, { $set: { $x: 1 } }, 52],
    [{}, { $set: { 'a.$': 1 } }, 2, 'The positional operator did not find the match needed from the query.'],
    [{}, { $set: { 'a.$.$': 1 } }, 2],
    [{}, { $set: { $: 1 } }, 2],
    [{}, { $set: { 'a.$[x]': 1 } }, 2, "No array filter found for identifier 'x' in path 'a.$[x]'"],
    [{ a: 1 }, { $set: { 'a.$[]': 1 } }, 2, 'Cannot apply array updates to non-array element a: 1'],
    [
      {},
      { $set: { 'a.$[]': 1 } },
      2,
      "The path 'a' must exist in the document in order to apply array updates.",
    ],
    [{}, { $set: { a: 1 } }, 9, undefined, { arrayFilters: [{ x: 1 }] }],
    [{}, { $set: { 'a.$[x]': 1 } }, 9, undefined, { arrayFilters: [{ x: 1 }, { x: 2 }] }],
    [{}, { $set: { 'a.$[x]': 1 } }, 9, undefined, { arrayFilters: [{ x: 1, y: 2 }] }],
    [{}, { $rename: { a: 'a' } }, 2],
    [{}, { $rename: { a: 1 } }, 2],
    [{}, { $rename: { a: 'a.b' } }, 2],
    [{ a: [1] }, { $rename: { 'a.0': 'b' } }, 2],
    [{ a: [1], b: 1 }, { $rename: { b: 'a.0' } }, 2],
    [{ a: [{ a: 1 }] }, { $rename: { 'a.a': 'b' } }, 28],
    [{ a: 5 }, { $rename: { 'a.b': 'b' } }, 28],
    [{}, { $currentDate: { a: 1 } }, 2],
    [{}, { $currentDate: { a: { $type: 'x' } } }, 2],
    [{ a: 1.5 }, { $bit: { a: { and: 1 } } }, 2],
    [{}, { $bit: { a: { and: 1.5 } } }, 2],
    [{}, [{ $match: { a: 1 } }], 72],
    [{}, [{ $set: { a: 1 }, $unset: 'b' }], 40323],
    [{}, 5, 9],
    [{ a: [] }, { $set: { 'a.2000000': 1 } }, 35],
  ])('%#: %j, %j: code %d', (before, update, code, message = '', options = {}) => {
    const error = errorOf(() => run({ _id: 1, ...before }, update, options));
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(message);
  });
});
