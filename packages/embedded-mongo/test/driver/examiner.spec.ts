import { rejection, startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

type Command = Record<string, unknown>;

async function codeOf(command: Command): Promise<unknown> {
  return server.db.command(command).then(
    () => undefined,
    (error: { code?: unknown }) => error.code,
  );
}

/** A command on a collection with one document, or on a missing one. */
function on(collection: string, name: string, fields: Command): Command {
  return { [name]: collection, ...fields };
}

describe('a malformed element of a batch', () => {
  it.each<[Command, number]>([
    [{ q: {}, u: {}, foo: 1 }, 40415],
    [{ u: {} }, 40414],
    [{ q: {} }, 40414],
    [{ q: 5, u: {} }, 14],
    [{ q: {}, u: 5 }, 9],
    [{ q: {}, u: {}, multi: 1 }, 14],
    [{ q: {}, u: {}, upsert: 1 }, 14],
    [{ q: {}, u: {}, arrayFilters: {} }, 14],
    [{ q: {}, u: {}, arrayFilters: [1] }, 14],
    [{ q: {}, u: {}, hint: 5 }, 9],
    [{ q: {}, u: {}, collation: 5 }, 14],
  ])('fails the whole update: %j with code %d', async (entry, code) => {
    const collection = server.collection();
    await collection.insertOne({ _id: 1 as never });
    const updates = [{ q: {}, u: { $set: { a: 1 } } }, entry];
    expect(await codeOf({ update: collection.collectionName, updates, ordered: false })).toBe(code);
    expect(await collection.findOne()).toEqual({ _id: 1 });
  });

  it.each<[Command, number]>([
    [{ q: {}, limit: 1, foo: 1 }, 40415],
    [{ limit: 1 }, 40414],
    [{ q: {} }, 40414],
    [{ q: [], limit: 1 }, 14],
    [{ q: {}, limit: 2 }, 9],
    [{ q: {}, limit: 1, hint: 5 }, 9],
  ])('fails the whole delete: %j with code %d', async (entry, code) => {
    const collection = server.collection();
    await collection.insertOne({ _id: 1 as never });
    const deletes = [{ q: {}, limit: 0 }, entry];
    expect(await codeOf({ delete: collection.collectionName, deletes, ordered: false })).toBe(code);
    expect(await collection.countDocuments()).toBe(1);
  });

  it.each<[Command, number]>([
    [{ q: {}, u: { $foo: { a: 1 } } }, 9],
    [{ q: {}, u: { b: 1 }, multi: true }, 9],
    [{ q: {}, u: { $set: { _id: 2 } } }, 66],
  ])('is an error of its own when only its meaning is wrong: %j', async (entry, code) => {
    const collection = server.collection();
    await collection.insertOne({ _id: 1 as never });
    const updates = [{ q: {}, u: { $set: { a: 1 } } }, entry];
    const reply = await server.db
      .command({ update: collection.collectionName, updates })
      .catch((error: { result?: unknown }) => error.result as Command);
    expect(reply).toMatchObject({ ok: 1, n: 1, writeErrors: [{ index: 1, code }] });
  });
});

describe('arguments', () => {
  it.each<[string, Command, number]>([
    ['find', { limit: -5 }, 51024],
    ['find', { readConcern: 5 }, 14],
    ['find', { readConcern: { foo: 1 } }, 40415],
    ['find', { readConcern: { level: 'foo' } }, 9],
    ['insert', { documents: [{}], writeConcern: { w: -1 } }, 9],
    ['insert', { documents: [{}], writeConcern: { w: 51 } }, 9],
    ['insert', { documents: [{}], writeConcern: { w: 1, foo: 1 } }, 40415],
    ['aggregate', { pipeline: [], cursor: { foo: 1 } }, 40415],
    ['aggregate', { pipeline: [{ $out: 'x' }, { $match: {} }], cursor: {} }, 40601],
    ['find', { hint: 5 }, 9],
    ['update', { updates: [{ q: {}, u: {}, hint: 5 }] }, 9],
    ['delete', { deletes: [{ q: {}, limit: 1, hint: 5 }] }, 9],
    ['find', { filter: { $alwaysTrue: 2 } }, 9],
    ['find', { sort: { 'a.': 1 } }, 40353],
    ['distinct', { key: 'a\0b' }, 31032],
    ['createIndexes', { indexes: [{ key: { a: 1 }, name: '*' }] }, 2],
    ['createIndexes', { indexes: [{ key: { a: 1 }, name: '_id_' }] }, 2],
    ['createIndexes', { indexes: [{ key: { a: 1 }, name: 5 }] }, 14],
    ['createIndexes', { indexes: [{ key: 5, name: 'a' }] }, 14],
    ['createIndexes', { indexes: [{ key: { $id: 1 }, name: 'a' }] }, 67],
  ])('%s with %j is refused with code %d', async (name, fields, code) => {
    expect(await codeOf(on('missing', name, fields))).toBe(code);
  });

  it('are missed before a cursor is looked for', async () => {
    const { Long } = (await import('mongoose')).default.mongo;
    expect(await codeOf({ getMore: Long.fromNumber(77) })).toBe(40414);
  });

  it('of ping may be any', async () => {
    expect(await server.db.command({ ping: 1, foo: 1 })).toMatchObject({ ok: 1 });
  });
});

describe('a sort by parallel arrays', () => {
  it('fails for a single document', async () => {
    const collection = server.collection();
    await collection.insertOne({ a: [1, 2], b: [3, 4] });
    const sort = { a: 1, b: 1 } as const;
    expect((await rejection(collection.find({}, { sort }).toArray()))['code']).toBe(2);
    expect((await rejection(collection.aggregate([{ $sort: sort }]).toArray()))['code']).toBe(2);
    expect(await collection.find({}, { sort: { a: 1 } }).toArray()).toHaveLength(1);
  });
});

describe('an index on an element by its number', () => {
  it('has an array there as a whole', async () => {
    const collection = server.collection();
    await collection.createIndex({ 'a.0': 1 });
    await collection.insertMany([{ a: [[1, 2]] }, { a: [1] }, { a: 1 }, { a: { 0: [1, 2] } }] as never);
    const hint = { 'a.0': 1 };
    for (const filter of [{ 'a.0': 1 }, { 'a.0': [1, 2] }, { 'a.0': null }]) {
      const scanned = await collection.countDocuments(filter);
      expect(await collection.find(filter, { hint }).toArray()).toHaveLength(scanned);
    }
  });

  it('refuses a document in which the number is a field, too', async () => {
    const collection = server.collection();
    await collection.createIndex({ 'a.0': 1 });
    expect((await rejection(collection.insertOne({ a: [{ 0: 1 }] })))['code']).toBe(16746);
  });
});

describe('partial indexes', () => {
  it('may have $or and $in and are used only where that is sure', async () => {
    const collection = server.collection();
    const some = { $or: [{ a: { $in: [1, 2] } }, { b: 1 }] };
    await collection.createIndex({ c: 1 }, { partialFilterExpression: some });
    const docs = [
      { _id: 1, a: 1, c: 1 },
      { _id: 2, a: 3, c: 1 },
      { _id: 3, b: 1, c: 1 },
    ];
    await collection.insertMany(docs as never);
    const ids = async (filter: Command) =>
      (await collection.find(filter as never).toArray()).map(({ _id }) => Number(_id));
    const plan = async (filter: Command) =>
      JSON.stringify(await collection.find(filter as never).explain('queryPlanner'));
    expect(await ids({ c: 1 })).toEqual([1, 2, 3]);
    expect(await ids({ c: 1, a: 3 })).toEqual([2]);
    expect(await ids({ c: 1, a: 1 })).toEqual([1]);
    expect(await ids({ c: 1, b: 1 })).toEqual([3]);
    expect(await plan({ c: 1, a: 1 })).toContain('IXSCAN');
    expect(await plan({ c: 1, a: { $in: [2, 1] } })).toContain('IXSCAN');
    expect(await plan({ c: 1, a: { $in: [1, 3] } })).toContain('COLLSCAN');
    expect(await plan({ c: 1 })).toContain('COLLSCAN');
  });

  it('over a field that exists are used for a list of values, unless null or a pattern is among them', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 }, { partialFilterExpression: { a: { $exists: true } } });
    await collection.insertMany([{ _id: 1, a: ['x', 'y'] }, { _id: 2, a: 'z' }, { _id: 3 }] as never);
    const find = (list: unknown[]) => collection.find({ a: { $in: list } } as never);
    const plan = async (list: unknown[]) => JSON.stringify(await find(list).explain('queryPlanner'));
    const ids = async (list: unknown[]) =>
      (await find(list).sort({ _id: 1 }).toArray()).map(({ _id }) => Number(_id));
    expect(await plan(['y', 'z'])).toContain('IXSCAN');
    expect(await ids(['y', 'z'])).toEqual([1, 2]);
    expect(await plan(['y', null])).toContain('COLLSCAN');
    expect(await ids(['y', null])).toEqual([1, 3]);
    expect(await plan(['y', /^z/])).toContain('COLLSCAN');
    expect(await ids(['y', /^z/])).toEqual([1, 2]);
  });

  it('are read whole when hinted though the filter asks for more', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1 }, { partialFilterExpression: { b: 1 } });
    await collection.insertMany([{ a: 1, b: 1 }, { a: 1 }, { a: 2, b: 1 }]);
    expect(await collection.find({ a: 1 }, { hint: { a: 1 } }).toArray()).toMatchObject([{ a: 1, b: 1 }]);
    expect(await collection.countDocuments({}, { hint: { a: 1 } })).toBe(2);
  });
});

describe('index keys', () => {
  it('differ by their values', async () => {
    const collection = server.collection();
    await collection.createIndex({ b: 5 as never });
    await collection.createIndex({ b: 1 });
    expect(await collection.indexes()).toHaveLength(3);
  });

  it('may be parts of a DBRef', async () => {
    const collection = server.collection();
    await collection.createIndex({ 'a.$id': 1 });
    await collection.insertOne({ a: { $ref: 'c', $id: 1 } });
    expect(await collection.find({ 'a.$id': 1 } as never, { hint: { 'a.$id': 1 } }).toArray()).toHaveLength(
      1,
    );
  });
});

describe('the positional operator', () => {
  it('knows the element that an $or on one field found', async () => {
    const collection = server.collection();
    await collection.insertOne({ a: [1, 2, 3] });
    await collection.updateOne({ $or: [{ a: 7 }, { a: 2 }] }, { $set: { 'a.$': 9 } });
    expect(await collection.findOne()).toMatchObject({ a: [1, 9, 3] });
  });
});

describe('a find by _id', () => {
  it('is explained as such', async () => {
    const collection = server.collection();
    await collection.insertOne({ _id: 1 as never });
    const stageOf = async (filter: Command) => {
      const { queryPlanner } = await collection.find(filter as never).explain('queryPlanner');
      return queryPlanner.winningPlan.stage as string;
    };
    expect(await stageOf({ _id: 1 })).toBe('IDHACK');
    expect(await stageOf({ _id: { $eq: 1 } })).toBe('IDHACK');
    expect(await stageOf({ _id: { $gt: 1 } })).toBe('FETCH');
    expect(await stageOf({ _id: 1, a: 1 })).toBe('FETCH');
  });
});
