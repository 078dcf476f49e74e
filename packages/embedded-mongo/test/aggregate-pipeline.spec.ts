import { Decimal128, Double, Long } from 'bson';
import { compilePipeline } from '../src/aggregate/pipeline.js';
import { evaluateLet } from '../src/aggregate/let-variables.js';
import { fromPlain } from '../src/bson/encode.js';
import type { Doc } from '../src/bson/values.js';
import { compileQuery } from '../src/query/compile.js';
import { doc, errorOf, type Plain, typed, typedOf } from './support/plain.js';

const collections: Record<string, Plain[]> = {
  users: [
    { _id: 1, name: 'Ann', tags: ['x', 'y'] },
    { _id: 2, name: 'Bob', tags: [] },
    { _id: 3, name: 'Cid' },
  ],
  orders: [
    { _id: 10, user: 1, total: 5 },
    { _id: 11, user: 1, total: 7 },
    { _id: 12, user: 2, total: 1 },
    { _id: 13, total: 9 },
  ],
};

function* find(collection: string, filter: Doc): Generator<Doc> {
  const query = compileQuery(filter);
  for (const value of (collections[collection] ?? []).map(doc)) if (query.matches(value)) yield value;
}

function compiled(stages: Plain[], variables: Plain = {}) {
  const now = new Date(0);
  return compilePipeline(
    stages.map((stage) => fromPlain(stage)),
    { find, now, variables: evaluateLet(doc(variables), now) },
  );
}

function run(from: string, stages: Plain[], variables: Plain = {}) {
  return [...compiled(stages, variables).run((collections[from] ?? []).map(doc))].map(typed);
}

const long = (text: string) => Long.fromString(text);

describe('pipelines', () => {
  it.each<[string, Plain[], unknown[]]>([
    ['orders', [], collections['orders'] ?? []],
    [
      'orders',
      [{ $match: { total: { $gt: 5 } } }, { $project: { total: 1, _id: 0 } }],
      [{ total: 7 }, { total: 9 }],
    ],
    [
      'orders',
      [{ $sort: { total: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { _id: 1 } }],
      [{ _id: 11 }, { _id: 10 }],
    ],
    ['orders', [{ $count: 'n' }], [{ n: 4 }]],
    [
      'orders',
      [
        {
          $group: {
            _id: null,
            first: { $firstN: { input: '$user', n: 3 } },
            last: { $lastN: { input: '$user', n: 2 } },
            max: { $maxN: { input: '$total', n: 2 } },
            min: { $minN: { input: '$user', n: 9 } },
          },
        },
      ],
      [{ _id: null, first: [1, 1, 2], last: [2, null], max: [9, 7], min: [1, 1, 2] }],
    ],
    [
      'orders',
      [
        { $match: { user: { $exists: true } } },
        { $group: { _id: { n: '$user' }, first: { $firstN: { input: '$_id', n: '$n' } } } },
      ],
      [
        { _id: { n: 1 }, first: [10] },
        { _id: { n: 2 }, first: [12] },
      ],
    ],
    ['none', [{ $count: 'n' }], []],
    [
      'orders',
      [{ $limit: 1 }, { $addFields: { 'x.y': { $add: ['$total', 1] }, total: '$$REMOVE' } }],
      [{ _id: 10, user: 1, x: { y: 6 } }],
    ],
    [
      'orders',
      [{ $limit: 1 }, { $set: { total: 'text' } }, { $unset: ['user', '_id'] }],
      [{ total: 'text' }],
    ],
    [
      'users',
      [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
      [
        { _id: 1, tags: 'x' },
        { _id: 1, tags: 'y' },
      ],
    ],
    [
      'users',
      [
        { $unwind: { path: '$tags', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true } },
        { $project: { name: 0 } },
      ],
      [
        { _id: 1, tags: 'x', i: long('0') },
        { _id: 1, tags: 'y', i: long('1') },
        { _id: 2, i: null },
        { _id: 3, i: null },
      ],
    ],
    [
      'users',
      [
        { $lookup: { from: 'orders', localField: '_id', foreignField: 'user', as: 'o' } },
        { $project: { n: { $size: '$o' } } },
      ],
      [
        { _id: 1, n: 2 },
        { _id: 2, n: 1 },
        { _id: 3, n: 0 },
      ],
    ],
    [
      'orders',
      [
        { $match: { _id: 13 } },
        { $lookup: { from: 'orders', localField: 'user', foreignField: 'nope', as: 'o' } },
        { $project: { n: { $size: '$o' } } },
      ],
      [{ _id: 13, n: 4 }],
    ],
    [
      'users',
      [
        { $match: { _id: 1 } },
        {
          $lookup: {
            from: 'orders',
            let: { u: '$_id' },
            pipeline: [
              { $match: { $expr: { $and: [{ $eq: ['$user', '$$u'] }, { $gt: ['$total', 5] }] } } },
              { $project: { total: 1, _id: 0 } },
            ],
            as: 'o',
          },
        },
        { $project: { o: 1 } },
      ],
      [{ _id: 1, o: [{ total: 7 }] }],
    ],
    [
      'orders',
      [
        {
          $group: {
            _id: '$user',
            sum: { $sum: '$total' },
            n: { $count: {} },
            avg: { $avg: '$total' },
            all: { $push: '$total' },
          },
        },
      ],
      [
        { _id: 1, sum: 12, n: 2, avg: new Double(6), all: [5, 7] },
        { _id: 2, sum: 1, n: 1, avg: new Double(1), all: [1] },
        { _id: null, sum: 9, n: 1, avg: new Double(9), all: [9] },
      ],
    ],
    [
      'orders',
      [
        {
          $group: {
            _id: null,
            min: { $min: '$user' },
            max: { $max: '$user' },
            first: { $first: '$user' },
            last: { $last: '$user' },
            set: { $addToSet: '$user' },
            merged: { $mergeObjects: { k: '$total' } },
          },
        },
      ],
      [{ _id: null, min: 1, max: 2, first: 1, last: null, set: [1, 2], merged: { k: 9 } }],
    ],
    ['orders', [{ $group: { _id: { u: '$user' } } }], [{ _id: { u: 1 } }, { _id: { u: 2 } }, { _id: {} }]],
    ['orders', [{ $sortByCount: '$user' }, { $limit: 1 }], [{ _id: 1, count: 2 }]],
    [
      'orders',
      [{ $facet: { a: [{ $count: 'n' }], b: [{ $match: { user: 2 } }, { $project: { _id: 1 } }] } }],
      [{ a: [{ n: 4 }], b: [{ _id: 12 }] }],
    ],
    ['users', [{ $limit: 1 }, { $replaceRoot: { newRoot: { x: '$name' } } }], [{ x: 'Ann' }]],
    [
      'users',
      [
        { $project: { _id: 1 } },
        { $limit: 1 },
        { $unionWith: { coll: 'orders', pipeline: [{ $match: { user: 2 } }, { $project: { _id: 1 } }] } },
      ],
      [{ _id: 1 }, { _id: 12 }],
    ],
    [
      'users',
      [{ $limit: 1 }, { $project: { _id: 0, who: '$name', k: { $literal: 1 }, 'deep.er': '$_id' } }],
      [{ who: 'Ann', k: 1, deep: { er: 1 } }],
    ],
  ])('%#: %s %j', (from, stages, expected) => {
    expect(run(from, stages)).toEqual(expected.map(typedOf));
  });

  it('groups numbers that are equal whatever their type', () => {
    const values = [
      1,
      new Double(1),
      long('1'),
      Decimal128.fromString('1.0'),
      new Double(0.5),
      Decimal128.fromString('0.50'),
      new Double(-0),
      0,
    ];
    const docs = values.map((v) => doc({ v }));
    const groups = [...compiled([{ $group: { _id: '$v', n: { $sum: 1 } } }]).run(docs)].map(typed);
    expect(groups).toEqual([
      { _id: 'int:1', n: 'int:4' },
      { _id: 'double:0.5', n: 'int:2' },
      { _id: 'double:-0', n: 'int:2' },
    ]);
  });

  it('sums doubles without losing small parts, and grows int to long to double', () => {
    const sum = (values: unknown[]) =>
      [...compiled([{ $group: { _id: null, s: { $sum: '$v' } } }]).run(values.map((v) => doc({ v })))].map(
        (d) => typed(d.get('s')),
      )[0];
    expect(sum([0.1, 0.2, 0.3, 0.4])).toBe('double:1');
    expect(sum([1e100, 1, -1e100])).toBe('double:1');
    expect(sum([2147483647, 1])).toBe('long:2147483648');
    expect(sum([long('9223372036854775807'), 1])).toBe('double:9223372036854776000');
    expect(sum([Decimal128.fromString('0.1'), 1])).toBe('decimal:1.1');
    expect(sum(['x'])).toBe('int:0');
  });

  it('reads no further than the limit', () => {
    let read = 0;
    function* source(): Generator<Doc> {
      for (;;) yield doc({ n: read++ });
    }
    expect([...compiled([{ $match: {} }, { $limit: 3 }]).run(source())].length).toBe(3);
    expect(read).toBe(3);
  });

  it('offers the first filter, unless it has variables', () => {
    expect(typed(compiled([{ $match: { a: 1 } }]).leadingMatch)).toEqual({ a: 'int:1' });
    expect(compiled([{ $match: { $expr: '$a' } }]).leadingMatch).toBeUndefined();
    expect(compiled([{ $limit: 1 }]).leadingMatch).toBeUndefined();
  });

  it('knows the variables of let', () => {
    expect(
      run('orders', [{ $match: { $expr: { $eq: ['$total', '$$t'] } } }, { $project: { x: '$$t', _id: 0 } }], {
        t: { $add: [3, 2] },
      }),
    ).toEqual([{ x: 'int:5' }]);
  });

  it('does not change its input', () => {
    const input = doc({ a: { b: 1 }, l: [{ x: 1 }] });
    const before = typed(input);
    const stages = [
      { $set: { 'a.c': 1, 'l.y': 2 } },
      { $unwind: { path: '$l', includeArrayIndex: 'a.i' } },
      { $unset: 'a.b' },
    ];
    expect([...compiled(stages).run([input])].map(typed)).toEqual([
      { a: { c: 'int:1', i: 'long:0' }, l: { x: 'int:1', y: 'int:2' } },
    ]);
    expect(typed(input)).toEqual(before);
  });

  it.each<[Plain[], number]>([
    [[{ $foo: 1 }], 40324],
    [[{ $out: 'x' }], 40324],
    [[{ $out: 'x' }, { $match: {} }], 40601],
    [[{ $merge: 'x' }, { $match: {} }], 40601],
    [[{ $facet: { a: [{ $out: 'x' }] } }], 40600],
    [[{ $lookup: { from: 'x', as: 'y', pipeline: [{ $out: 'x' }] } }], 51047],
    [[{ $project: { 'a.$': 1 } }], 31324],
    [[{ $project: { a: { $foo: 1 } } }], 31325],
    [[{ $limit: -1 }], 5107201],
    [[{ $sortByCount: { a: 1 } }], 40147],
    [[{ $sortByCount: 1 }], 40149],
    [[{ $sample: {} }], 28749],
    [[{ $replaceRoot: {} }], 40414],
    [[{ $match: {}, $limit: 1 }], 40323],
    [[{}], 40323],
    [[{ $match: 1 }], 15959],
    [[{ $project: {} }], 51272],
    [[{ $project: { a: 1, b: 0 } }], 31254],
    [[{ $addFields: {} }], 40177],
    [[{ $addFields: { a: {} } }], 40180],
    [[{ $unset: [1] }], 31120],
    [[{ $group: { a: { $sum: 1 } } }], 15955],
    [[{ $group: { _id: 1, a: { $foo: 1 } } }], 15952],
    [[{ $group: { _id: 1, a: 1 } }], 40234],
    [[{ $group: { _id: 1, a: { $firstN: 1 } } }], 5787900],
    [[{ $group: { _id: 1, a: { $firstN: { input: 1, n: 1, x: 1 } } } }], 5787901],
    [[{ $group: { _id: 1, a: { $firstN: { input: 1 } } } }], 5787906],
    [[{ $group: { _id: 1, a: { $firstN: { n: 1 } } } }], 5787907],
    [[{ $group: { _id: 1, 'a.b': { $sum: 1 } } }], 40235],
    [[{ $sort: {} }], 15976],
    [[{ $limit: 0 }], 15958],
    [[{ $limit: 'x' }], 5107201],
    [[{ $skip: -1 }], 5107200],
    [[{ $count: '' }], 40157],
    [[{ $unwind: 'a' }], 28818],
    [[{ $lookup: { from: 'x' } }], 9],
    [[{ $facet: {} }], 40169],
    [[{ $facet: { a: [{ $facet: { b: [] } }] } }], 40600],
  ])('%#: refuses %j with code %d', (stages, code) => {
    expect(errorOf(() => compiled(stages))?.code).toBe(code);
  });

  it('refuses a root that is no document, when it runs', () => {
    expect(errorOf(() => run('users', [{ $replaceWith: '$name' }]))?.code).toBe(40228);
  });
});
