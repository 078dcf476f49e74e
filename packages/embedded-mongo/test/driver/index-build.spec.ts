import { rejection, startTestServer, type TestServer } from '../support/server.js';

const DOCUMENTS = 20_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function filled(last?: object) {
  const collection = server.collection();
  for (let from = 0; from < DOCUMENTS; from += 5000) {
    await collection.insertMany(
      Array.from({ length: 5000 }, (_, n) => ({ _id: from + n, n: from + n, k: (from + n) % 10 })) as never,
    );
  }
  if (last) await collection.insertOne(last);
  return collection;
}

describe('an index that is built while documents are written', () => {
  it('has what was there, what came, and not what went', async () => {
    const collection = await filled();
    const build = collection.createIndex({ k: 1, n: -1 });
    const writes: Promise<unknown>[] = [];
    for (let n = 0; n < 300; n++) {
      writes.push(collection.insertOne({ _id: `new${n}`, n, k: 3 } as never));
      writes.push(collection.updateOne({ _id: DOCUMENTS - 1 - n } as never, { $set: { k: 77 } }));
      writes.push(collection.deleteOne({ _id: n * 31 } as never));
      if (n % 50 === 0) await Promise.all(writes);
    }
    await Promise.all([build, ...writes]);
    for (const k of [3, 7, 77]) {
      const scanned = await collection.find({ k }, { hint: { $natural: 1 } }).toArray();
      const found = await collection.find({ k }, { hint: 'k_1_n_-1' }).toArray();
      const ids = (docs: typeof found) =>
        docs.map((doc) => String(doc._id)).toSorted((a, b) => (a < b ? -1 : 1));
      expect(ids(found)).toEqual(ids(scanned));
    }
    expect(await collection.countDocuments({ k: { $gte: 0 } }, { hint: 'k_1_n_-1' })).toBe(
      await collection.estimatedDocumentCount(),
    );
  });

  it('fails when a duplicate is found late, and the collection stays as it was', async () => {
    const collection = await filled({ n: 5 });
    expect((await rejection(collection.createIndex({ n: 1 }, { unique: true })))['code']).toBe(11000);
    expect(await collection.indexes()).toHaveLength(1);
    await collection.insertOne({ n: 5 });
    expect(await collection.countDocuments({ n: 5 })).toBe(3);
  });

  it('is complete for everyone who asked for it', async () => {
    const collection = await filled();
    await Promise.all(Array.from({ length: 4 }, () => collection.createIndex({ n: 1 }, { unique: true })));
    expect(await collection.indexes()).toHaveLength(2);
    expect(
      await collection.find({ n: { $gte: 0 } }, { hint: 'n_1', projection: { _id: 1 } }).toArray(),
    ).toHaveLength(DOCUMENTS);
  });

  it('can be dropped with its collection', async () => {
    const collection = await filled();
    const build = collection.createIndex({ n: 1 }).catch((error: unknown) => error);
    await server.db.command({ ping: 1 });
    await collection.drop();
    await build;
    await collection.insertOne({ n: 1 });
    expect(await collection.countDocuments()).toBe(1);
  });
});

describe('a write over many documents', () => {
  it('lets others in between', async () => {
    const collection = await filled();
    const update = collection.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1 } });
    await Promise.all(Array.from({ length: 20 }, (_, n) => collection.insertOne({ other: n })));
    expect((await update).matchedCount).toBeGreaterThanOrEqual(DOCUMENTS);
    expect(await collection.countDocuments({ n: { $gte: 1, $lte: DOCUMENTS } })).toBe(DOCUMENTS);
  });
});
