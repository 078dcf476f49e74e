import { isDeepStrictEqual } from 'node:util';
import { compileProjection } from '../src/projection.js';
import { compileQuery } from '../src/query/compile.js';
import { compileSort } from '../src/sort.js';
import { upsertSeed } from '../src/query/upsert.js';
import { keyValues } from '../src/index/paths.js';
import { doc, errorOf, type Plain, shape, typed, typedOf } from './support/plain.js';

function project(spec: Plain, before: Plain, filter: Plain = {}) {
  return compileProjection(doc(spec), compileQuery(doc(filter)))(doc(before));
}

const sample = {
  _id: 1,
  a: 1,
  b: { c: 2, d: 3 },
  e: [{ f: 1, g: 2 }, { f: 3 }, 4, [{ f: 5 }]],
  h: [1, 2, 3],
};

describe('projection', () => {
  it.each<[Plain, Plain, Plain]>([
    [{}, {}, sample],
    [{ a: 1 }, {}, { _id: 1, a: 1 }],
    [{ a: true, _id: 0 }, {}, { a: 1 }],
    [{ _id: 1 }, {}, { _id: 1 }],
    [{ _id: 0 }, {}, { a: 1, b: sample.b, e: sample.e, h: sample.h }],
    [{ e: 0, h: 0, _id: 0 }, {}, { a: 1, b: sample.b }],
    [{ e: 0, h: 0, _id: 1 }, {}, { _id: 1, a: 1, b: sample.b }],
    [{ 'b.c': 1 }, {}, { _id: 1, b: { c: 2 } }],
    [{ b: { c: 1 } }, {}, { _id: 1, b: { c: 2 } }],
    [{ 'b.c': 0, e: 0, h: 0 }, {}, { _id: 1, a: 1, b: { d: 3 } }],
    [{ 'a.x': 1 }, {}, { _id: 1 }],
    [{ 'b.x': 1 }, {}, { _id: 1, b: {} }],
    [{ 'e.f': 1 }, {}, { _id: 1, e: [{ f: 1 }, { f: 3 }, [{ f: 5 }]] }],
    [{ 'e.f': 0, b: 0, h: 0 }, {}, { _id: 1, a: 1, e: [{ g: 2 }, {}, 4, [{}]] }],
    [{ h: { $slice: 2 }, e: 0, b: 0 }, {}, { _id: 1, a: 1, h: [1, 2] }],
    [{ h: { $slice: -2 }, a: 1 }, {}, { _id: 1, a: 1, h: [2, 3] }],
    [{ h: { $slice: [1, 1] }, _id: 1, a: 1 }, {}, { _id: 1, a: 1, h: [2] }],
    [{ h: { $slice: [-2, 5] }, a: 1 }, {}, { _id: 1, a: 1, h: [2, 3] }],
    [{ h: { $elemMatch: { $gt: 1 } } }, {}, { _id: 1, h: [2] }],
    [{ e: { $elemMatch: { f: 3 } }, a: 1 }, {}, { _id: 1, a: 1, e: [{ f: 3 }] }],
    [{ h: { $elemMatch: { $gt: 9 } } }, {}, { _id: 1 }],
    [{ 'h.$': 1 }, { h: { $gte: 2 } }, { _id: 1, h: [2] }],
    [{ 'e.$': 1 }, { 'e.f': 3 }, { _id: 1, e: [{ f: 3 }] }],
    [{ 'e.$': 1 }, { e: { $elemMatch: { f: 3 } } }, { _id: 1, e: [{ f: 3 }] }],
    [{ x: '$a', y: 'text', z: { $literal: 1 } }, {}, { _id: 1, x: 1, y: 'text', z: 1 }],
    [{ 'b.n': { $add: ['$a', 1] } }, {}, { _id: 1, b: { n: 2 } }],
    [{ x: ['$a', '$nope'] }, {}, { _id: 1, x: [1, null] }],
    [{ x: { y: '$a' } }, {}, { _id: 1, x: { y: 1 } }],
  ])('%#: %j with filter %j', (spec, filter, after) => {
    const result = project(spec, sample, filter);
    expect(typed(result)).toEqual(typedOf(after));
    expect(shape(result)).toEqual(shape(doc(after)));
  });

  it.each<[Plain, number]>([
    [{ a: 1, b: 0 }, 31254],
    [{ a: 0, b: 1 }, 31253],
    [{ a: 1, 'a.b': 1 }, 31249],
    [{ 'a.b': 1, a: 1 }, 31250],
    [{ a: 0, b: '$x' }, 31310],
    [{ a: 0, b: [1] }, 31310],
    [{ a: 0, b: { $add: [1] } }, 31252],
    [{ a: {} }, 51270],
    [{ 'a.$': 1, 'b.$': 1 }, 31276],
    [{ 'a.$': 0 }, 31395],
    [{ 'a.$': 'x' }, 31308],
    [{ 'a.$': { b: 1 } }, 31271],
    [{ 'a.$': { $add: [1] } }, 31271],
    [{ 'a.$.b': 1 }, 31394],
    [{ 'a.$': 1, b: { $elemMatch: { c: 1 } } }, 31256],
    [{ 'a.b': { $elemMatch: { c: 1 } } }, 31275],
    [{ a: { $elemMatch: 1 } }, 31274],
    [{ a: { $meta: 'textScore' } }, 238],
    [{ a: { $foo: 1 } }, 31325],
    [{ a: { b: { $foo: 1 } } }, 31325],
    [{ a: { $add: [{ $foo: 1 }] } }, 168],
    [{ '': 1 }, 40352],
    [{ 'a.': 1 }, 40353],
    [{ $a: 1 }, 16410],
  ])('%#: refuses %j with code %d', (spec, code) => {
    expect(errorOf(() => compileProjection(doc(spec)))?.code).toBe(code);
  });

  it('refuses a positional projection where the filter matched no element', () => {
    expect(errorOf(() => project({ 'h.$': 1 }, sample, { a: 1 }))?.code).toBe(51246);
  });
});

describe('sort', () => {
  const order = (spec: Plain, values: Plain[]) =>
    values
      .map(doc)
      .toSorted(compileSort(doc(spec)))
      .map((value) => value.get('n'))
      .map(typed);

  it('takes missing as null, below numbers and above nothing but undefined', () => {
    expect(order({ a: 1 }, [{ n: 'x', a: 1 }, { n: 'y' }, { n: 'z', a: null }, { n: 'e', a: [] }])).toEqual([
      'e',
      'y',
      'z',
      'x',
    ]);
  });

  it('takes an array by its smallest element ascending and its largest descending', () => {
    const values = [
      { n: 'p', a: [1, 9] },
      { n: 'q', a: 5 },
    ];
    expect(order({ a: 1 }, values)).toEqual(['p', 'q']);
    expect(order({ a: -1 }, values)).toEqual(['p', 'q']);
  });

  it('sorts by several fields, in mixed directions, through documents in arrays', () => {
    const values = [
      { n: 'p', a: { b: 1 }, c: 1 },
      { n: 'q', a: { b: 1 }, c: 2 },
      { n: 'r', a: [{ b: 0 }, { b: 7 }], c: 0 },
    ];
    expect(order({ 'a.b': 1, c: -1 }, values)).toEqual(['r', 'q', 'p']);
    expect(order({ 'a.b': -1 }, values)).toEqual(['r', 'p', 'q']);
  });

  it.each<[Plain, number]>([
    [{ a: 2 }, 15975],
    [{ a: 'x' }, 15974],
    [{ a: { $meta: 'textScore' } }, 238],
    [{ '': 1 }, 40352],
    [{ 'a.': 1 }, 40353],
  ])('refuses %j with code %d', (spec, code) => {
    expect(errorOf(() => compileSort(doc(spec)))?.code).toBe(code);
  });

  it('refuses parallel arrays', () => {
    const compare = compileSort(doc({ a: 1, b: 1 }));
    expect(errorOf(() => compare(doc({ a: [1], b: [1] }), doc({})))?.code).toBe(2);
    expect(errorOf(() => compare.enter(doc({ a: [1], b: [1] })))?.code).toBe(2);
  });
});

/** Without those that come more than once. */
function keysOf(value: Plain, paths: readonly string[]): unknown[] {
  const { rows } = keyValues(
    doc(value),
    paths.map((path) => path.split('.')),
  );
  const keys = rows.map((row) => row.map(typed));
  return keys.filter((key, i) => keys.findIndex((other) => isDeepStrictEqual(other, key)) === i);
}

describe('keyValues', () => {
  it.each<[Plain, string[], unknown[]]>([
    [{ a: 1 }, ['a'], [['int:1']]],
    [{}, ['a'], [['(missing)']]],
    [{ a: [] }, ['a'], [['Undefined']]],
    [
      { a: [1, 2], b: 3 },
      ['a', 'b'],
      [
        ['int:1', 'int:3'],
        ['int:2', 'int:3'],
      ],
    ],
    [
      { a: [{ b: 1, c: 2 }, { b: 3 }, 4] },
      ['a.b', 'a.c'],
      [
        ['int:1', 'int:2'],
        ['int:3', '(missing)'],
        ['(missing)', '(missing)'],
      ],
    ],
    [{ a: [[1, 2]] }, ['a'], [[['int:1', 'int:2']]]],
    [{ a: [5, 6] }, ['a.1'], [['int:6']]],
    [{ a: [5] }, ['a.1'], [['(missing)']]],
    [{ a: [[1, 2], 3] }, ['a.0'], [[['int:1', 'int:2']]]],
    [{ a: [[]] }, ['a.0'], [['Undefined']]],
    [{ a: [[7, 8]] }, ['a.0.1'], [['int:8']]],
    [{ a: [[{ b: 1 }, { b: 2 }]] }, ['a.0.b'], [['int:1'], ['int:2']]],
    [{ a: [{ b: [1, 2] }] }, ['a.0.b'], [['int:1'], ['int:2']]],
    [{ a: [{ 1: 'x' }] }, ['a.1'], [['x']]],
    [{ a: { 0: [1, 2] } }, ['a.0'], [['int:1'], ['int:2']]],
    [
      { a: [1, 2] },
      ['a', 'a.1'],
      [
        ['int:1', 'int:2'],
        ['int:2', 'int:2'],
      ],
    ],
    [{ a: { 1: 'x' } }, ['a.1'], [['x']]],
  ])('%j for %j', (value, paths, keys) => {
    expect(keysOf(value, paths)).toEqual(keys);
  });

  it('refuses parallel arrays, also such as a path names an element of', () => {
    expect(errorOf(() => keysOf({ a: [1], b: [2] }, ['a', 'b']))?.code).toBe(171);
    expect(errorOf(() => keysOf({ a: [1], b: [2] }, ['a.0', 'b']))?.code).toBe(171);
  });

  it('refuses a number that could be an element or a field', () => {
    expect(errorOf(() => keysOf({ a: [{ 0: 1 }] }, ['a.0']))?.code).toBe(16746);
    expect(errorOf(() => keysOf({ a: [1, { 0: 1 }] }, ['a.0']))?.code).toBe(16746);
  });
});

describe('upsertSeed', () => {
  it.each<[Plain, Plain]>([
    [{ a: 1, b: { $gt: 1 } }, { a: 1 }],
    [{ 'a.b': 1, 'a.c': { $eq: 2 } }, { a: { b: 1, c: 2 } }],
    [{ $and: [{ a: 1 }, { b: 2 }] }, { a: 1, b: 2 }],
    [{ $or: [{ a: 1 }] }, { a: 1 }],
    [{ $or: [{ a: 1 }, { b: 1 }] }, {}],
    [
      { a: { $in: [1] }, b: { $in: [1, 2] }, c: { $all: [3] } },
      { a: 1, c: 3 },
    ],
    [{ a: /x/, b: { $ne: 1 } }, {}],
    [
      { _id: 5, a: { b: 1 } },
      { _id: 5, a: { b: 1 } },
    ],
  ])('%j gives %j', (filter, seed) => {
    expect(typed(upsertSeed(doc(filter)))).toEqual(typedOf(seed));
  });

  it('refuses a field that is asked for twice', () => {
    expect(errorOf(() => upsertSeed(doc({ a: 1, $and: [{ a: 2 }] })))?.code).toBe(54);
    expect(errorOf(() => upsertSeed(doc({ a: { b: 1 }, 'a.c': 2 })))?.code).toBe(54);
  });
});
