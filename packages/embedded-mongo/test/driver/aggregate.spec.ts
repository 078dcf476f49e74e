import { rejection, startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function filled() {
  const collection = server.collection();
  await collection.createIndex({ kind: 1, n: 1 });
  const docs = Array.from({ length: 300 }, (_, n) => ({ _id: n, kind: n % 3 ? 'a' : 'b', n }));
  await collection.insertMany(docs as never);
  return collection;
}

describe('countDocuments', () => {
  it('counts with and without an index, skip and limit', async () => {
    const collection = await filled();
    expect(await collection.countDocuments()).toBe(300);
    expect(await collection.countDocuments({ kind: 'b' })).toBe(100);
    expect(await collection.countDocuments({ kind: 'b', n: { $lt: 30 } })).toBe(10);
    expect(await collection.countDocuments({ n: { $mod: [2, 0] } })).toBe(150);
    expect(await collection.countDocuments({ kind: 'b' }, { skip: 90 })).toBe(10);
    expect(await collection.countDocuments({ kind: 'b' }, { skip: 10, limit: 5 })).toBe(5);
    expect(await collection.countDocuments({ kind: 'none' })).toBe(0);
    expect(await collection.countDocuments({ kind: 'b' }, { hint: '_id_' })).toBe(100);
  });
});

describe('aggregate', () => {
  it('hands out a long result in batches', async () => {
    const collection = await filled();
    const docs = await collection.aggregate([{ $match: { kind: 'a' } }], { batchSize: 7 }).toArray();
    expect(docs).toHaveLength(200);
  });

  it('joins, groups and sorts', async () => {
    const collection = await filled();
    const people = server.collection();
    await people.insertMany([
      { _id: 'a', name: 'Ann' },
      { _id: 'b', name: 'Bob' },
    ] as never);
    const result = await collection
      .aggregate([
        { $group: { _id: '$kind', total: { $sum: '$n' } } },
        { $lookup: { from: people.collectionName, localField: '_id', foreignField: '_id', as: 'person' } },
        { $unwind: '$person' },
        { $project: { _id: 0, name: '$person.name', total: 1 } },
        { $sort: { name: 1 } },
      ])
      .toArray();
    expect(result).toEqual([
      { total: 30_000, name: 'Ann' },
      { total: 14_850, name: 'Bob' },
    ]);
  });

  it('refuses stages that it does not know', async () => {
    const collection = await filled();
    const error = await rejection(collection.aggregate([{ $fancy: {} }]).toArray());
    expect(error['code']).toBe(40324);
  });

  it('takes variables', async () => {
    const collection = await filled();
    const found = await collection
      .aggregate([{ $match: { $expr: { $eq: ['$n', '$$wanted'] } } }], { let: { wanted: 7 } })
      .toArray();
    expect(found).toMatchObject([{ n: 7 }]);
    const alsoFound = await collection
      .find({ $expr: { $eq: ['$n', '$$wanted'] } }, { let: { wanted: 8 } })
      .toArray();
    expect(alsoFound).toMatchObject([{ n: 8 }]);
  });
});

describe('$out', () => {
  it('replaces the documents of a collection and keeps its indexes', async () => {
    const collection = await filled();
    const target = server.collection();
    await target.createIndex({ n: 1 }, { unique: true });
    await target.insertOne({ old: true, n: -1 });
    const stages = [{ $match: { n: { $lt: 5 } } }, { $out: target.collectionName }];
    expect(await collection.aggregate(stages).toArray()).toEqual([]);
    expect(
      await target
        .find()
        .map((doc) => doc['n'])
        .toArray(),
    ).toEqual([0, 1, 2, 3, 4]);
    expect((await target.indexes()).map(({ name }) => name)).toEqual(['_id_', 'n_1']);
    const error = await rejection(
      collection.aggregate([{ $project: { n: { $literal: 1 } } }, { $out: target.collectionName }]).toArray(),
    );
    expect(error['code']).toBe(11000);
    expect(await target.countDocuments()).toBe(5);
    expect((await rejection(target.insertOne({ n: 1 }))).message).toContain(target.namespace);
  });

  it('may replace its own source', async () => {
    const collection = await filled();
    await collection
      .aggregate([{ $match: { n: { $gte: 298 } } }, { $out: collection.collectionName }])
      .toArray();
    expect(await collection.countDocuments()).toBe(2);
  });
});

describe('$merge', () => {
  it('merges, keeps, replaces, or fails', async () => {
    const collection = server.collection();
    const target = server.collection();
    await collection.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ] as never);
    const run = (options: object) =>
      collection.aggregate([{ $merge: { into: target.collectionName, ...options } }]).toArray();
    await target.insertOne({ _id: 1, b: 1 } as never);
    await run({});
    expect(await target.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, b: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    await run({ whenMatched: 'replace' });
    expect(await target.findOne({ _id: 1 } as never)).toEqual({ _id: 1, a: 1 });
    await run({ whenMatched: [{ $set: { sum: { $add: ['$a', '$$new.a'] } } }] });
    expect(await target.findOne({ _id: 2 } as never)).toEqual({ _id: 2, a: 2, sum: 4 });
    expect((await rejection(run({ whenMatched: 'fail' })))['code']).toBe(11000);
    await target.deleteOne({ _id: 2 } as never);
    await run({ whenMatched: 'keepExisting', whenNotMatched: 'discard' });
    expect(await target.countDocuments()).toBe(1);
    expect((await rejection(run({ on: 'a' })))['code']).toBe(51183);
  });

  it('fails at the first document that is there, and checks the fields that it joins on', async () => {
    const collection = server.collection();
    const target = server.collection();
    await target.createIndex({ key: 1 }, { unique: true });
    await target.insertOne({ _id: 1, key: 'b' } as never);
    await collection.insertMany(['a', 'b', 'c'].map((key) => ({ key })));
    const merge = (options: object) =>
      collection
        .aggregate([{ $sort: { key: 1 } }, { $merge: { into: target.collectionName, ...options } }])
        .toArray();
    const error = await rejection(merge({ on: 'key', whenMatched: 'fail' }));
    expect(error).toMatchObject({ code: 11000, keyValue: { key: 'b' } });
    expect(new Set(await target.distinct('key'))).toEqual(new Set(['a', 'b']));
    await collection.deleteMany({});
    await collection.insertOne({ other: 1 });
    expect((await rejection(merge({ on: 'key', whenMatched: 'fail' })))['code']).toBe(51132);
  });
});

describe('an aggregation of a database', () => {
  it('begins with documents that are given', async () => {
    const docs = [{ a: 1 }, { a: { $add: [1, '$$n'] } }];
    const cursor = server.db.aggregate([{ $documents: docs }, { $match: { a: { $gt: 1 } } }], {
      let: { n: 4 },
    });
    expect(await cursor.toArray()).toEqual([{ a: 5 }]);
    expect((await rejection(server.db.aggregate([{ $documents: 7 }]).toArray()))['code']).toBe(5858203);
    expect((await rejection(server.db.aggregate([{ $match: {} }]).toArray()))['code']).toBe(73);
  });
});

describe('$rand', () => {
  it('gives another number for each document', async () => {
    const collection = await filled();
    const docs = await collection.aggregate([{ $project: { r: { $rand: {} } } }]).toArray();
    const numbers = docs.map((doc) => doc['r'] as number);
    expect(new Set(numbers).size).toBeGreaterThan(290);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const given = collection.aggregate([{ $project: { r: { $rand: [1] } } }]).toArray();
    expect((await rejection(given))['code']).toBe(3040501);
  });
});
