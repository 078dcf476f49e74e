import { rejection, startTestServer, type Collection, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function planOf(collection: Collection, filter: object, sort: object = {}): Promise<string> {
  const { queryPlanner } = await collection.find(filter, { sort: sort as never }).explain('queryPlanner');
  return JSON.stringify(queryPlanner.winningPlan);
}

describe('createIndexes', () => {
  it('is idempotent and lists what there is', async () => {
    const collection = server.collection();
    const options = { unique: true, partialFilterExpression: { a: { $exists: true } } };
    expect(await collection.createIndex({ a: 1, b: -1 }, options)).toBe('a_1_b_-1');
    expect(await collection.createIndex({ a: 1, b: -1 }, options)).toBe('a_1_b_-1');
    expect(await collection.indexes()).toMatchObject([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1, b: -1 }, name: 'a_1_b_-1', ...options },
    ]);
    await collection.dropIndex('a_1_b_-1');
    expect(await collection.indexes()).toHaveLength(1);
  });

  it('tells of conflicts with 85 and 86', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 }, { name: 'one' });
    const codes = async (key: object, options: object) =>
      (await rejection(collection.createIndex(key as never, options)))['code'];
    expect(await codes({ a: 1 }, { name: 'two' })).toBe(85);
    expect(await codes({ b: 1 }, { name: 'one' })).toBe(86);
    expect(await codes({ a: 1 }, { name: 'one', unique: true })).toBe(86);
    expect(await codes({ a: 1 }, { name: 'one', expireAfterSeconds: 10 })).toBe(85);
    expect(await codes({ a: 0 }, {})).toBe(67);
    expect(await codes({ a: 'fancy' }, {})).toBe(67);
  });

  it('refuses a unique index over duplicates and leaves nothing behind', async () => {
    const collection = server.collection();
    await collection.insertMany([{ a: 1 }, { a: 1 }]);
    expect((await rejection(collection.createIndex({ a: 1 }, { unique: true })))['code']).toBe(11000);
    expect(await collection.indexes()).toHaveLength(1);
    await collection.insertOne({ a: 1 });
  });

  it('refuses documents that would index parallel arrays', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1, b: 1 });
    expect((await rejection(collection.insertOne({ a: [1], b: [2] })))['code']).toBe(171);
    await collection.insertOne({ a: [1, 2], b: 3 });
  });
});

describe('unique indexes', () => {
  it('count missing as null, also across types', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertOne({});
    expect((await rejection(collection.insertOne({ a: null })))['code']).toBe(11000);
    await collection.insertOne({ a: 1 });
    expect((await rejection(collection.insertOne({ a: 1.0 })))['code']).toBe(11000);
  });

  it('let documents without the field be when sparse, and those outside when partial', async () => {
    const sparse = server.collection();
    await sparse.createIndex({ a: 1 }, { unique: true, sparse: true });
    await sparse.insertMany([{}, {}, { a: 1 }]);
    expect((await rejection(sparse.insertOne({ a: 1 })))['code']).toBe(11000);
    const partial = server.collection();
    await partial.createIndex({ call: 1 }, { unique: true, partialFilterExpression: { open: true } });
    await partial.insertMany([
      { call: 1, open: false },
      { call: 1, open: false },
      { call: 1, open: true },
    ]);
    expect((await rejection(partial.insertOne({ call: 1, open: true })))['code']).toBe(11000);
    await partial.updateOne({ open: true }, { $set: { open: false } });
    await partial.insertOne({ call: 1, open: true });
  });

  it('count every element of an array, but not twice within a document', async () => {
    const collection = server.collection();
    await collection.createIndex({ tags: 1 }, { unique: true });
    await collection.insertOne({ tags: ['a', 'b', 'a'] });
    expect((await rejection(collection.insertOne({ tags: ['c', 'b'] })))['code']).toBe(11000);
    await collection.updateOne({}, { $pull: { tags: 'b' } as never });
    await collection.insertOne({ tags: ['c', 'b'] });
  });

  it('tell long values apart that begin alike', async () => {
    const collection = server.collection();
    await collection.createIndex({ text: 1 }, { unique: true });
    const long = 'x'.repeat(5000);
    await collection.insertMany([{ text: `${long}a` }, { text: `${long}b` }]);
    expect((await rejection(collection.insertOne({ text: `${long}a` })))['code']).toBe(11000);
    expect(await collection.find({ text: `${long}b` }).toArray()).toHaveLength(1);
    expect(await collection.find({ text: { $gt: `${long}a` } }).toArray()).toHaveLength(1);
    const sorted = await collection.find().sort({ text: -1 }).toArray();
    expect(sorted.map((doc) => String(doc['text']).at(-1))).toEqual(['b', 'a']);
  });
});

describe('the planner', () => {
  it('uses a compound index for equality, range and order', async () => {
    const collection = server.collection();
    await collection.createIndex({ conversation: 1, seq: -1 });
    await collection.insertMany(Array.from({ length: 200 }, (_, n) => ({ conversation: n % 4, seq: n })));
    const plan = await planOf(collection, { conversation: 1, seq: { $lt: 100 } }, { seq: -1 });
    expect(plan).toContain('"indexName":"conversation_1_seq_-1"');
    expect(plan).not.toContain('"SORT"');
    const found = await collection
      .find({ conversation: 1, seq: { $lt: 100 } })
      .sort({ seq: -1 })
      .limit(3)
      .toArray();
    expect(found.map((doc) => doc['seq'])).toEqual([97, 93, 89]);
    const backwards = await collection.find({ conversation: 1 }).sort({ seq: 1 }).limit(2).toArray();
    expect(backwards.map((doc) => doc['seq'])).toEqual([1, 5]);
  });

  it('sorts by the rest of an index whose first field is an array', async () => {
    const collection = server.collection();
    await collection.createIndex({ participants: 1, at: -1 });
    await collection.insertMany([3, 1, 2].map((at) => ({ participants: ['ann', `p${at}`], at })));
    const plan = await planOf(collection, { participants: 'ann' }, { at: -1 });
    expect(plan).toContain('IXSCAN');
    const found = await collection.find({ participants: 'ann' }).sort({ at: -1 }).toArray();
    expect(found.map((doc) => doc['at'])).toEqual([3, 2, 1]);
  });

  it('takes a partial index only for queries inside it', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 }, { partialFilterExpression: { open: true, n: { $gt: 5 } } });
    await collection.insertMany([
      { a: 1, open: true, n: 9 },
      { a: 1, open: false, n: 9 },
      { a: 1, open: true, n: 5 },
    ]);
    expect(await planOf(collection, { a: 1, open: true, n: { $gte: 6 } })).toContain('IXSCAN');
    expect(await planOf(collection, { a: 1, open: true, n: { $gte: 5 } })).toContain('COLLSCAN');
    expect(await planOf(collection, { a: 1, open: true })).toContain('COLLSCAN');
    expect(await collection.find({ a: 1 }).toArray()).toHaveLength(3);
  });

  it('does not look for missing fields in a sparse index', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 }, { sparse: true });
    await collection.insertMany([{}, { a: null }, { a: 1 }]);
    expect(await collection.find({ a: null }).toArray()).toHaveLength(2);
    expect(await planOf(collection, { a: 1 })).toContain('IXSCAN');
    expect(await collection.find().sort({ a: 1 }).toArray()).toHaveLength(3);
  });

  it('takes the index that it is told, and refuses one that is not there', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 });
    await collection.createIndex({ b: 1 });
    await collection.insertOne({ a: 1, b: 1 });
    const hinted = await collection.find({ a: 1 }).hint('b_1').explain('queryPlanner');
    expect(JSON.stringify(hinted.queryPlanner.winningPlan)).toContain('"indexName":"b_1"');
    expect((await rejection(collection.find().hint('nope').toArray()))['code']).toBe(2);
    expect((await rejection(collection.updateOne({}, { $set: { a: 2 } }, { hint: 'nope' })))['code']).toBe(2);
  });

  it('looks up long lists of values, by whatever plan', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1, b: 1 });
    await collection.insertMany(Array.from({ length: 400 }, (_, n) => ({ a: n, b: n % 3 })));
    const evens = Array.from({ length: 30_000 }, (_, n) => n * 2);
    expect(await collection.countDocuments({ a: { $in: evens } })).toBe(200);
    expect(await collection.countDocuments({ a: { $in: evens.slice(0, 150) }, b: { $in: [0, 1] } })).toBe(
      100,
    );
    expect(await collection.countDocuments({ a: { $in: evens.slice(0, 9000) }, b: { $in: [0, 1, 7] } })).toBe(
      133,
    );
    const found = await collection.find({ a: { $in: [5, 3, 9, 3] } }).toArray();
    expect(found.map((doc) => doc['a'])).toEqual([3, 5, 9]);
  });

  it('says how much it looked at', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 });
    await collection.insertMany(Array.from({ length: 100 }, (_, n) => ({ a: n % 10 })));
    const { executionStats } = await collection.find({ a: 3 }).explain('executionStats');
    expect(executionStats).toMatchObject({ nReturned: 10, totalKeysExamined: 10, totalDocsExamined: 10 });
  });
});

describe('namespaces', () => {
  it('are made, listed, dropped and made again', async () => {
    const collection = server.collection();
    await collection.insertOne({ a: 1 });
    await collection.createIndex({ a: 1 }, { unique: true });
    const named = { name: collection.collectionName };
    expect(await server.db.listCollections(named).toArray()).toMatchObject([
      { ...named, type: 'collection' },
    ]);
    const error = await rejection(
      server.db.createCollection(collection.collectionName, { capped: true, size: 10 }),
    );
    expect(error['code']).toBeGreaterThan(0);
    await collection.drop();
    expect(await server.db.listCollections(named).toArray()).toEqual([]);
    await collection.insertMany([{ a: 1 }, { a: 1 }]);
    expect(await collection.indexes()).toHaveLength(1);
    const { databases } = await server.client.db().admin().listDatabases({ nameOnly: true });
    expect(databases.map(({ name }) => name)).toContain(server.db.databaseName);
  });

  it.each(['', 'a$b', '.a', 'x'.repeat(256)])('refuses the name %p', async (name) => {
    const error = await rejection(server.db.command({ create: name }));
    expect(error['code']).toBe(73);
  });

  it('answers for what is not there', async () => {
    const collection = server.collection();
    expect(await collection.find().toArray()).toEqual([]);
    expect(await collection.distinct('a')).toEqual([]);
    expect((await collection.deleteMany({})).deletedCount).toBe(0);
    expect((await rejection(collection.dropIndex('a_1')))['code']).toBe(26);
    expect((await rejection(server.db.command({ listIndexes: collection.collectionName })))['code']).toBe(26);
  });
});
