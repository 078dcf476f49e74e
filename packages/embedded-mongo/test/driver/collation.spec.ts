import {
  rejection,
  startTestServer,
  describeEmbedded,
  type Collection,
  type TestServer,
} from '../support/server.js';

const ignoringCase = { locale: 'en', strength: 2 };
const ignoringAccents = { locale: 'en', strength: 1 };
const numeric = { locale: 'en', numericOrdering: true };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Indexed, so that an index that would answer by bytes is there to be taken. */
async function filled(): Promise<Collection> {
  const collection = server.collection();
  await collection.createIndex({ name: 1 });
  await collection.createIndex({ 'pet.name': 1 });
  await collection.insertMany([
    { _id: 1, name: 'ann', tags: ['X'], pet: { name: 'Rex' } },
    { _id: 2, name: 'Ann', tags: ['y'], pet: { name: 'rex' } },
    { _id: 3, name: 'ánn', tags: [] },
    { _id: 4, name: 'Bob', tags: ['x', 'Y'] },
    { _id: 5, name: 7 },
  ] as never);
  return collection;
}

const ids = async (docs: Promise<{ _id: unknown }[]>) => (await docs).map(({ _id }) => _id);

describe('a collation', () => {
  it('decides which strings a filter takes for equal, whatever indexes there are', async () => {
    const collection = await filled();
    const found = (filter: object, collation: { locale: string } = ignoringCase) =>
      ids(collection.find(filter, { collation, sort: { _id: 1 } }).toArray());
    expect(await found({ name: 'ANN' })).toEqual([1, 2]);
    expect(await found({ name: 'ANN' }, ignoringAccents)).toEqual([1, 2, 3]);
    expect(await found({ name: 'ANN' }, { locale: 'simple' })).toEqual([]);
    expect(await found({ name: { $in: ['BOB', 7] } })).toEqual([4, 5]);
    expect(await found({ name: { $nin: ['ANN', 'BOB'] } })).toEqual([3, 5]);
    expect(await found({ name: { $gte: 'B' } })).toEqual([4]);
    expect(await found({ name: { $ne: 'ANN' } })).toEqual([3, 4, 5]);
    expect(await found({ tags: { $all: ['X', 'y'] } })).toEqual([4]);
    expect(await found({ tags: { $elemMatch: { $eq: 'Y' } } })).toEqual([2, 4]);
    expect(await found({ pet: { name: 'REX' } })).toEqual([1, 2]);
    expect(await found({ $or: [{ 'pet.name': 'REX' }, { name: 'bob' }] })).toEqual([1, 2, 4]);
    expect(await found({ name: /^a/ })).toEqual([1]);
  });

  it('decides the order, also where an index has another', async () => {
    const collection = await filled();
    const order = (collation: { locale: string }) =>
      ids(
        collection
          .find({ name: { $type: 'string' } }, { collation })
          .sort({ name: 1, _id: 1 })
          .toArray(),
      );
    expect(await order({ locale: 'simple' })).toEqual([2, 4, 1, 3]);
    expect(await order({ locale: 'en' })).toEqual([1, 2, 3, 4]);
    expect(await order(ignoringAccents)).toEqual([1, 2, 3, 4]);
    const backwards = collection.find({}, { collation: ignoringCase, sort: { $natural: -1 } });
    expect(await ids(backwards.toArray())).toEqual([5, 4, 3, 2, 1]);
    const versions = server.collection();
    await versions.insertMany(['v10', 'v9', 'v1'].map((version) => ({ version })));
    const sorted = await versions.find({}, { collation: numeric }).sort({ version: 1 }).toArray();
    expect(sorted.map((doc) => doc['version'])).toEqual(['v1', 'v9', 'v10']);
  });

  it('holds for counts, distinct values, pipelines, updates and removals', async () => {
    const collection = await filled();
    const options = { collation: ignoringCase };
    expect(await collection.countDocuments({ name: 'ANN' }, options)).toBe(2);
    expect(await collection.distinct('name', {}, options)).toEqual(['ann', 'ánn', 'Bob', 7]);
    const stages = [{ $match: { name: 'ANN' } }, { $sort: { _id: -1 } }, { $project: { name: 1 } }];
    expect(await collection.aggregate(stages, options).toArray()).toEqual([
      { _id: 2, name: 'Ann' },
      { _id: 1, name: 'ann' },
    ]);
    expect(await collection.updateMany({ name: 'ANN' }, { $set: { seen: true } }, options)).toMatchObject({
      matchedCount: 2,
    });
    const changed = await collection.findOneAndUpdate({ name: 'BOB' }, { $inc: { n: 1 } }, options);
    expect(changed?._id).toBe(4);
    const upserted = await collection.updateOne(
      { name: 'BOB' },
      { $inc: { n: 1 } },
      { ...options, upsert: true },
    );
    expect(upserted.upsertedCount).toBe(0);
    expect((await collection.deleteMany({ name: 'ANN' }, options)).deletedCount).toBe(2);
  });

  it('does not reach the unique index, which compares bytes', async () => {
    const collection = server.collection();
    await collection.createIndex({ name: 1 }, { unique: true });
    await collection.insertMany([{ name: 'a' }, { name: 'A' }]);
    expect(await collection.countDocuments({ name: 'a' }, { collation: ignoringCase })).toBe(2);
  });

  it('is refused when it is not well formed', async () => {
    const collection = await filled();
    const code = async (collation: object) =>
      (await rejection(collection.find({}, { collation: collation as never }).toArray()))['code'];
    expect(await code({ locale: 'nowhere' })).toBe(2);
    expect(await code({ locale: 'en-US' })).toBe(2);
    expect(await code({ strength: 2 })).toBe(40414);
    expect(await code({ locale: 'en', fancy: 1 })).toBe(40415);
    expect(await code({ locale: 'en', numericOrdering: 'yes' })).toBe(14);
  });
});

describeEmbedded('a collation where strings would be compared in another way', () => {
  const options = { collation: ignoringCase };

  it.each([
    [{ $group: { _id: '$name' } }],
    [{ $group: { _id: ['$name'] } }],
    [{ $group: { _id: null, n: { $sum: { $cond: [{ $eq: ['$name', 'ANN'] }, 1, 0] } } } }],
    [{ $project: { same: { $eq: ['$name', 'ANN'] } } }],
    [{ $match: { $expr: { $eq: ['$name', 'ANN'] } } }],
    [{ $lookup: { from: 'other', localField: 'name', foreignField: 'name', as: 'others' } }],
    [{ $sortByCount: '$name' }],
  ])('is refused in the stage %j', async (stage) => {
    const collection = await filled();
    expect((await rejection(collection.aggregate([stage], options).toArray()))['code']).toBe(238);
  });

  it.each([
    [{ $max: { name: 'ANN' } }],
    [{ $addToSet: { tags: 'x' } }],
    [{ $pull: { tags: 'x' } }],
    [{ $push: { tags: { $each: ['a'], $sort: 1 } } }],
    [[{ $set: { same: { $eq: ['$name', 'ANN'] } } }]],
  ])('is refused with the update %j', async (update) => {
    const collection = await filled();
    const updated = collection.updateOne({ name: 'ANN' }, update as never, options);
    expect((await rejection(updated))['code']).toBe(238);
    const changed = collection.findOneAndUpdate({ name: 'ANN' }, update as never, options);
    expect((await rejection(changed))['code']).toBe(238);
  });

  it('is refused with expressions in a projection, for an index and for a collection', async () => {
    const collection = await filled();
    const projection = { same: [{ $eq: ['$name', 'ANN'] }] };
    expect((await rejection(collection.find({}, { ...options, projection }).toArray()))['code']).toBe(238);
    expect((await rejection(collection.createIndex({ name: 1 }, { ...options, name: 'x' })))['code']).toBe(
      238,
    );
    expect((await rejection(server.db.createCollection('collated', options)))['code']).toBe(238);
    const merge = collection.aggregate([{ $merge: { into: 'target' } }], options).toArray();
    expect((await rejection(merge))['code']).toBe(51183);
  });

  it('shows in what explain tells: no index serves it', async () => {
    const collection = await filled();
    const plan = await collection.find({ name: 'ANN' }, options).explain('queryPlanner');
    expect(JSON.stringify(plan['queryPlanner'])).toContain('COLLSCAN');
    const explained = await server.db.command({
      explain: { update: collection.collectionName, updates: [{ q: { name: 'x' }, u: {}, ...options }] },
    });
    expect(JSON.stringify(explained['queryPlanner'])).toContain('COLLSCAN');
  });
});
