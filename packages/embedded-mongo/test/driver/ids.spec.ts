import mongoose from 'mongoose';
import { rejection, startTestServer, type TestServer } from '../support/server.js';

const { DBRef } = mongoose.mongo;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('_id', () => {
  it('may be null, also by way of an upsert', async () => {
    const collection = server.collection();
    const upserted = await collection.updateOne({ _id: null } as never, { $set: { a: 1 } }, { upsert: true });
    expect(upserted).toMatchObject({ upsertedCount: 1, upsertedId: null });
    expect(await collection.find().toArray()).toEqual([{ _id: null, a: 1 }]);
    // The driver's own insert gives such a document another _id.
    const insert = { insert: collection.collectionName, documents: [{ _id: null }] };
    expect(await server.db.command(insert)).toMatchObject({ n: 0, writeErrors: [{ code: 11000 }] });
    const replaced = await collection.findOneAndReplace(
      { _id: null } as never,
      { b: 1 },
      { returnDocument: 'after' },
    );
    expect(replaced).toEqual({ _id: null, b: 1 });
  });

  it('may be a DBRef, but no other document with $-prefixed fields', async () => {
    const collection = server.collection();
    const ref = new DBRef('people', 7 as never);
    await collection.insertOne({ _id: ref } as never);
    expect(await collection.countDocuments({ _id: ref })).toBe(1);
    expect((await rejection(collection.insertOne({ _id: ref } as never)))['code']).toBe(11000);
    for (const _id of [
      { $id: 1, $ref: 'a' },
      { $ref: 1, $id: 1 },
      { a: 1, $b: 1 },
      { $ref: 'a', $id: 1, $x: 1 },
    ])
      expect((await rejection(collection.insertOne({ _id } as never)))['code']).toBe(52);
  });

  it.each([[[1]], [/a/]])('may not be %p', async (_id) => {
    expect((await rejection(server.collection().insertOne({ _id } as never)))['code']).toBe(53);
  });
});
