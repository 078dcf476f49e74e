import mongoose from 'mongoose';
import { describeEmbedded, rejection, startTestServer, type TestServer } from '../support/server.js';

const { Long } = mongoose.mongo;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function filled(count: number, on = server) {
  const collection = on.collection();
  await collection.createIndex({ n: 1 });
  await collection.insertMany(
    Array.from({ length: count }, (_, n) => ({ _id: n, n, text: 'x'.repeat(20) })) as never,
  );
  return collection;
}

describe('cursors', () => {
  it('hand out a long result in batches, in order', async () => {
    const collection = await filled(2500);
    const forwards = await collection.find({}, { batchSize: 100 }).sort({ n: 1 }).toArray();
    expect(forwards.map((doc) => doc['n'])).toEqual(Array.from({ length: 2500 }, (_, n) => n));
    const backwards = await collection
      .find({ n: { $gte: 5 } }, { batchSize: 7 })
      .sort({ n: -1 })
      .limit(300)
      .toArray();
    expect(backwards.map((doc) => doc['n'])).toEqual(Array.from({ length: 300 }, (_, n) => 2499 - n));
    const unsorted = await collection.find({}, { batchSize: 99 }).toArray();
    expect(unsorted).toHaveLength(2500);
  });

  it('respect the limits of a batch', async () => {
    const collection = await filled(300);
    const find = (options: object) => server.db.command({ find: collection.collectionName, ...options });
    const first = await find({});
    expect(first['cursor'].firstBatch).toHaveLength(101);
    const more = await server.db.command({
      getMore: first['cursor'].id,
      collection: collection.collectionName,
    });
    expect(more['cursor'].nextBatch).toHaveLength(199);
    expect(Long.isLong(more['cursor'].id) ? more['cursor'].id.toNumber() : Number(more['cursor'].id)).toBe(0);
    expect((await find({ singleBatch: true, batchSize: 3 }))['cursor'].firstBatch).toHaveLength(3);
    expect((await find({ limit: 2 }))['cursor'].firstBatch).toHaveLength(2);
    expect((await find({ batchSize: 0 }))['cursor'].firstBatch).toEqual([]);
    expect((await find({ skip: 298 }))['cursor'].firstBatch).toHaveLength(2);
  });

  it('split a batch that would be larger than a document may be', async () => {
    const collection = server.collection();
    const text = 'x'.repeat(3_000_000);
    for (let n = 0; n < 8; n++) await collection.insertOne({ n, text });
    const reply = await server.db.command({ find: collection.collectionName, batchSize: 100 });
    expect(reply['cursor'].firstBatch.length).toBeLessThan(8);
    expect(
      await collection
        .find()
        .map((doc) => doc['n'])
        .toArray(),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('never give a document twice because it was moved in the index', async () => {
    const collection = await filled(400);
    const cursor = collection.find({ n: { $gte: 0 } }, { batchSize: 50 }).sort({ n: 1 });
    const seen: number[] = [];
    for await (const doc of cursor) {
      seen.push(doc._id as unknown as number);
      if (seen.length === 60) await collection.updateMany({ n: { $lt: 80 } }, { $inc: { n: 10_000 } });
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(380);
  });

  it('go on after documents before and after them were removed', async () => {
    const collection = await filled(400);
    const seen: number[] = [];
    for await (const doc of collection.find({}, { batchSize: 50 })) {
      seen.push(doc._id as unknown as number);
      if (seen.length === 50) await collection.deleteMany({ n: { $mod: [2, 0] } });
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => id % 2 === 1)).toHaveLength(200);
  });

  it('end with an error when the collection is dropped', async () => {
    const collection = await filled(400);
    const cursor = collection.find({}, { batchSize: 50 });
    await cursor.next();
    await collection.drop();
    expect((await rejection(cursor.toArray()))['code']).toBe(175);
  });

  it('are gone when killed', async () => {
    const collection = await filled(400);
    const name = collection.collectionName;
    const { cursor } = (await server.db.command({ find: name, batchSize: 5 })) as { cursor: { id: unknown } };
    const killed = await server.db.command({
      killCursors: name,
      cursors: [cursor.id, Long.fromNumber(12345)],
    });
    expect(killed).toMatchObject({ cursorsKilled: [cursor.id] });
    expect(killed['cursorsNotFound']).toHaveLength(1);
    const gone = await rejection(server.db.command({ getMore: cursor.id, collection: name }));
    expect(gone).toMatchObject({ code: 43, codeName: 'CursorNotFound' });
  });
});

describeEmbedded('idle cursors', () => {
  it('time out, except those that are to last', async () => {
    const impatient = await startTestServer({ cursorTimeoutMs: 100 });
    const collection = await filled(400, impatient);
    const lasting = collection.find({}, { batchSize: 5, noCursorTimeout: true });
    await lasting.next();
    const cursor = collection.find({}, { batchSize: 5 });
    await cursor.next();
    const open = async () => {
      const status = await impatient.db.admin().serverStatus();
      return status['metrics'].cursor.open.total as number;
    };
    const deadline = Date.now() + 30_000;
    while ((await open()) > 1 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await rejection(cursor.toArray()))['code']).toBe(43);
    expect(await lasting.toArray()).toHaveLength(399);
    await impatient.close();
  });
});
