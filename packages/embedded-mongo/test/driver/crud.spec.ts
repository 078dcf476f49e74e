import mongoose from 'mongoose';
import { rejection, startTestServer, type TestServer } from '../support/server.js';

const { Decimal128, Double, Int32, Long, Timestamp } = mongoose.mongo;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('insert', () => {
  it('puts _id first and keeps types and key order', async () => {
    const collection = server.collection();
    const doc = {
      z: 1,
      10: 'ten',
      2: 'two',
      double: new Double(1),
      long: Long.fromNumber(1),
      decimal: Decimal128.fromString('1.0'),
    };
    const { insertedId } = await collection.insertOne({ ...doc });
    const options = { promoteValues: false };
    const [raw] = await collection.find({}, options).toArray();
    expect(Object.keys(raw ?? {})).toContain('_id');
    const bytes = await collection.find({}, { raw: true }).next();
    const text = (bytes as unknown as Buffer).toString('latin1');
    expect(text.indexOf('_id')).toBeLessThan(text.indexOf('z'));
    expect(raw?._id).toEqual(insertedId);
    expect(raw?.['double']).toBeInstanceOf(Double);
    expect(raw?.['long']).toBeInstanceOf(Long);
    expect(raw?.['decimal']).toBeInstanceOf(Decimal128);
    expect(raw?.['z']).toBeInstanceOf(Int32);
  });

  it('stops an ordered batch at the first error and tells which one it was', async () => {
    const collection = server.collection();
    await collection.createIndex({ conversation: 1, seq: 1 }, { unique: true });
    const docs = [1, 2, 1, 3].map((seq) => ({ conversation: 'a', seq }));
    const error = await rejection(collection.insertMany(docs));
    expect(error['code']).toBe(11000);
    const writeErrors = error['writeErrors'] as { index: number; err: Record<string, unknown> }[];
    expect(writeErrors.map(({ index }) => index)).toEqual([2]);
    expect(error.message).toContain(
      `E11000 duplicate key error collection: ${collection.namespace} index: conversation_1_seq_1 dup key: { conversation: "a", seq: 1 }`,
    );
    expect(
      await collection
        .find()
        .sort({ seq: 1 })
        .map((doc) => doc['seq'])
        .toArray(),
    ).toEqual([1, 2]);
  });

  it('goes on after an error in an unordered batch', async () => {
    const collection = server.collection();
    const ids = [1, 1, 2, 2, 3];
    const error = await rejection(
      collection.insertMany(
        ids.map((_id) => ({ _id }) as never),
        { ordered: false },
      ),
    );
    const writeErrors = error['writeErrors'] as { index: number }[];
    expect(writeErrors.map(({ index }) => index)).toEqual([1, 3]);
    expect(await collection.estimatedDocumentCount()).toBe(3);
  });

  it('tells keyPattern and keyValue of a duplicate', async () => {
    const collection = server.collection();
    await collection.createIndex({ a: 1, 'b.c': -1 }, { unique: true });
    await collection.insertOne({ a: 'x', b: { c: 5 } });
    const reply = await server.db.command({
      insert: collection.collectionName,
      documents: [{ a: 'x', b: { c: 5 } }, { a: 'y' }, { a: 'x', b: { c: 5 } }],
      ordered: false,
    });
    expect(reply['n']).toBe(1);
    expect(reply['writeErrors']).toMatchObject([
      { index: 0, code: 11000, keyPattern: { a: 1, 'b.c': -1 }, keyValue: { a: 'x', 'b.c': 5 } },
      { index: 2, code: 11000 },
    ]);
  });

  it.each([
    [[1], 53],
    [/a/, 53],
    [{ $a: 1 }, 52],
  ])('refuses the _id %p', async (_id, code) => {
    const error = await rejection(server.collection().insertOne({ _id } as never));
    expect(error['code']).toBe(code);
  });

  it('replaces an empty timestamp at the top by the time', async () => {
    const collection = server.collection();
    await collection.insertOne({
      at: new Timestamp({ t: 0, i: 0 }),
      nested: { at: new Timestamp({ t: 0, i: 0 }) },
    });
    const doc = await collection.findOne();
    expect((doc?.['at'] as InstanceType<typeof Timestamp> | undefined)?.t).toBeGreaterThan(1_600_000_000);
    expect((doc?.['nested'] as { at: InstanceType<typeof Timestamp> } | undefined)?.at.t).toBe(0);
  });
});

describe('update', () => {
  it('makes a document from the filter and the update when none matches', async () => {
    const collection = server.collection();
    const result = await collection.updateOne(
      { conversation: 'a', seq: { $gt: 5 } },
      { $set: { text: 'hi' }, $inc: { count: 2 } },
      { upsert: true },
    );
    expect(result).toMatchObject({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1 });
    expect(await collection.findOne()).toEqual({
      _id: result.upsertedId,
      conversation: 'a',
      text: 'hi',
      count: 2,
    });
  });

  it('does not count what did not change', async () => {
    const collection = server.collection();
    await collection.insertMany([{ a: 1 }, { a: 2 }]);
    const result = await collection.updateMany({}, { $max: { a: 2 } });
    expect(result).toMatchObject({ matchedCount: 2, modifiedCount: 1 });
  });

  it('leaves the _id alone', async () => {
    const collection = server.collection();
    await collection.insertOne({ _id: 1, a: 1 } as never);
    expect((await rejection(collection.updateOne({}, { $set: { _id: 2 } as never })))['code']).toBe(66);
    expect((await rejection(collection.replaceOne({}, { _id: 2 })))['code']).toBe(66);
    expect((await rejection(collection.updateMany({}, { a: 1 }))).message).toMatch(/atomic operators|\$/);
  });

  it('moves a document in its indexes, each document once', async () => {
    const collection = server.collection();
    await collection.createIndex({ n: 1 });
    await collection.insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
    const result = await collection.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1000 } });
    expect(result.modifiedCount).toBe(500);
    expect(await collection.find({ n: { $lt: 1000 } }).toArray()).toEqual([]);
    const [last] = await collection.find().sort({ n: -1 }).limit(1).toArray();
    expect(last?.['n']).toBe(1499);
  });

  it('keeps what it changed before a document failed', async () => {
    const collection = server.collection();
    await collection.createIndex({ u: 1 }, { unique: true });
    await collection.insertMany([
      { _id: 1, u: 1 },
      { _id: 2, u: 2 },
      { _id: 3, u: 3 },
    ] as never);
    const error = await rejection(collection.updateMany({ _id: { $lte: 3 } } as never, { $set: { u: 9 } }));
    expect(error['code']).toBe(11000);
    expect(
      await collection
        .find()
        .sort({ _id: 1 })
        .map((doc) => doc['u'])
        .toArray(),
    ).toEqual([9, 2, 3]);
  });

  it('lets one of fifty claim a document', async () => {
    const collection = server.collection();
    await collection.insertOne({ _id: 'call', state: 'ringing' } as never);
    const claims = Array.from({ length: 50 }, (_, by) =>
      collection.updateOne({ _id: 'call', state: 'ringing' } as never, { $set: { state: 'taken', by } }),
    );
    const results = await Promise.all(claims);
    expect(results.filter(({ modifiedCount }) => modifiedCount === 1)).toHaveLength(1);
  });

  it('adds up two hundred increments that arrive together', async () => {
    const collection = server.collection();
    await collection.insertOne({ _id: 'counter', n: 0 } as never);
    await Promise.all(
      Array.from({ length: 200 }, () =>
        collection.updateOne({ _id: 'counter' } as never, { $inc: { n: 1 } }),
      ),
    );
    expect((await collection.findOne())?.['n']).toBe(200);
  });

  it('does not undo its neighbours when it fails', async () => {
    const collection = server.collection();
    await collection.createIndex({ k: 1 }, { unique: true });
    const inserts = Array.from({ length: 60 }, (_, i) => collection.insertOne({ k: i % 40 }));
    const settled = await Promise.allSettled(inserts);
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(20);
    expect(await collection.estimatedDocumentCount()).toBe(40);
  });
});

describe('findAndModify', () => {
  it('gives the document before or after, by sort and projection', async () => {
    const collection = server.collection();
    await collection.insertMany([{ n: 1 }, { n: 3 }, { n: 2 }]);
    const before = await collection.findOneAndUpdate(
      {},
      { $set: { seen: true } },
      { sort: { n: -1 }, projection: { _id: 0 } },
    );
    expect(before).toEqual({ n: 3 });
    const after = await collection.findOneAndUpdate(
      { n: 2 },
      { $inc: { n: 10 } },
      { returnDocument: 'after', projection: { _id: 0 } },
    );
    expect(after).toEqual({ n: 12 });
    expect(await collection.findOneAndDelete({ n: 1 }, { projection: { _id: 0 } })).toEqual({ n: 1 });
    expect(await collection.findOneAndUpdate({ n: 99 }, { $set: { n: 1 } })).toBeNull();
  });

  it('tells of an upsert', async () => {
    const collection = server.collection();
    const result = await collection.findOneAndUpdate(
      { name: 'a' },
      { $set: { n: 1 } },
      { upsert: true, returnDocument: 'after', includeResultMetadata: true },
    );
    expect(result.lastErrorObject).toMatchObject({ updatedExisting: false, n: 1 });
    expect(result.lastErrorObject?.['upserted']).toEqual(result.value?._id);
  });
});

describe('delete', () => {
  it('removes one or all', async () => {
    const collection = server.collection();
    await collection.insertMany([{ a: 1 }, { a: 1 }, { a: 2 }, { a: 1 }]);
    expect((await collection.deleteOne({ a: 1 })).deletedCount).toBe(1);
    expect((await collection.deleteMany({ a: 1 })).deletedCount).toBe(2);
    expect((await collection.deleteMany({})).deletedCount).toBe(1);
  });
});

describe('what a standalone refuses', () => {
  it('transactions', async () => {
    const collection = server.collection();
    const error = await rejection(
      server.client.withSession((session) =>
        session.withTransaction(() => collection.insertOne({ a: 1 }, { session })),
      ),
    );
    expect(error.message).toMatch(/Transaction numbers|does not support retryable writes/);
  });

  it('write concerns of several nodes', async () => {
    const reply = rejection(server.db.command({ insert: 'c', documents: [{}], writeConcern: { w: 2 } }));
    expect((await reply)['code']).toBe(2);
  });

  it('unknown commands and unknown fields', async () => {
    expect(await rejection(server.db.command({ fly: 1 }))).toMatchObject({
      code: 59,
      codeName: 'CommandNotFound',
    });
    expect((await rejection(server.db.command({ find: 'c', bogus: 1 })))['code']).toBe(40415);
    expect(
      (await rejection(server.db.command({ find: 'c', filter: { a: { $near: 1 } } })))['code'],
    ).toBeGreaterThan(0);
  });

  it('operations that take too long', async () => {
    const collection = server.collection();
    await collection.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'x'.repeat(50) })));
    const slow = collection.find({ text: /y$/, n: { $mod: [3, 1] } }, { maxTimeMS: 1 }).toArray();
    expect(await rejection(slow)).toMatchObject({ code: 50, codeName: 'MaxTimeMSExpired' });
  });

  it('does unacknowledged writes before what follows on the connection', async () => {
    const collection = server.collection();
    const { MongoClient } = mongoose.mongo;
    const single = new MongoClient(server.uri, { maxPoolSize: 1 });
    const unacknowledged = single.db(server.db.databaseName).collection(collection.collectionName);
    await unacknowledged.insertOne({ a: 1 }, { writeConcern: { w: 0 } });
    expect(await unacknowledged.findOne({ a: 1 })).toMatchObject({ a: 1 });
    await single.close();
  });
});
