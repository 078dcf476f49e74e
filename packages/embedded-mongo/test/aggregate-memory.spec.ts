import { compilePipeline } from '../src/aggregate/pipeline.js';
import { fromPlain } from '../src/bson/encode.js';
import type { Doc } from '../src/bson/values.js';
import { doc, errorOf, type Plain, typed, typedOf } from './support/plain.js';

const MEMORY_LIMIT = 100_000;
const text = 'x'.repeat(1000);

function* documents(count: number): Generator<Doc> {
  for (let i = 0; i < count; i++) yield doc({ _id: i, n: (i * 7919) % count, same: i % 3, text });
}

function run(stages: Plain[], count = 1000) {
  const environment = { find: () => [], now: new Date(0), memoryLimit: MEMORY_LIMIT };
  const pipeline = compilePipeline(
    stages.map((stage) => fromPlain(stage)),
    environment,
  );
  return [...pipeline.run(documents(count))].map(typed);
}

describe('the memory of an aggregation', () => {
  it.each<[string, Plain[]]>([
    ['$sort', [{ $sort: { n: 1 } }]],
    ['$sort with a large $limit', [{ $sort: { n: 1 } }, { $limit: 500 }]],
    ['$sort with a $limit after another stage', [{ $sort: { n: 1 } }, { $match: { n: 5 } }, { $limit: 1 }]],
    ['$sample', [{ $sample: { size: 500 } }]],
    ['$group by many keys', [{ $group: { _id: { $concat: ['$text', { $toString: '$n' }] } } }]],
    ['$push', [{ $group: { _id: null, all: { $push: '$text' } } }]],
    ['$addToSet', [{ $group: { _id: null, all: { $addToSet: '$$ROOT' } } }]],
    ['$first', [{ $group: { _id: '$n', first: { $first: '$text' } } }]],
    ['$lastN', [{ $group: { _id: null, all: { $lastN: { input: '$text', n: 500 } } } }]],
    ['$facet', [{ $facet: { n: [{ $count: 'n' }] } }]],
  ])('is limited for %s', (_, stages) => {
    expect(errorOf(() => run(stages))).toMatchObject({ code: 292 });
  });

  it('is not taken by documents that a $limit leaves out', () => {
    const ids = (stages: Plain[]) => run([...stages, { $project: { n: 1, _id: 0 } }]);
    expect(ids([{ $sort: { n: 1 } }, { $limit: 3 }])).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }].map(typedOf));
    expect(ids([{ $sort: { n: -1 } }, { $skip: 2 }, { $limit: 2 }])).toEqual(
      [{ n: 997 }, { n: 996 }].map(typedOf),
    );
    expect(ids([{ $sort: { n: 1 } }, { $limit: 60 }, { $count: 'n' }])).toEqual([{ n: 60 }].map(typedOf));
  });

  it('keeps equal documents in their order', () => {
    const found = run([{ $sort: { same: 1 } }, { $skip: 1 }, { $limit: 3 }, { $project: { _id: 1 } }]);
    expect(found).toEqual([{ _id: 3 }, { _id: 6 }, { _id: 9 }].map(typedOf));
  });

  it('is not taken by what accumulators let go', () => {
    const last = { last: { $last: '$text' }, most: { $max: '$text' }, merged: { $mergeObjects: '$$ROOT' } };
    expect(run([{ $group: { _id: null, ...last, few: { $lastN: { input: '$n', n: 2 } } } }])).toHaveLength(1);
    expect(run([{ $sample: { size: 20 } }])).toHaveLength(20);
  });
});
