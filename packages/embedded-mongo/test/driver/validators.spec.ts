import {
  describeEmbedded,
  rejection,
  startTestServer,
  type Collection,
  type TestServer,
} from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const INVALID = 121;
const validator = { n: { $type: 'number', $gte: 0 } };

async function validated(options: object = {}): Promise<Collection> {
  const { collectionName } = server.collection();
  return server.db.createCollection(collectionName, { validator, ...options });
}

const codeOf = async (promise: Promise<unknown>) => (await rejection(promise))['code'];

describe('a validator', () => {
  it('refuses documents on every way in', async () => {
    const collection = await validated();
    const source = server.collection();
    await collection.insertOne({ _id: 1, n: 1 } as never);
    await source.insertOne({ _id: 1, n: -1 } as never);
    const one = { _id: 1 } as never;
    expect(await codeOf(collection.insertOne({ n: -1 }))).toBe(INVALID);
    expect(await codeOf(collection.insertMany([{ n: 3 }, {}]))).toBe(INVALID);
    expect(await codeOf(collection.updateOne(one, { $inc: { n: -5 } }))).toBe(INVALID);
    expect(await codeOf(collection.updateMany({}, [{ $set: { n: 'x' } }]))).toBe(INVALID);
    expect(await codeOf(collection.replaceOne(one, { m: 1 }))).toBe(INVALID);
    expect(
      await codeOf(collection.updateOne({ _id: 9 } as never, { $set: { a: 1 } }, { upsert: true })),
    ).toBe(INVALID);
    expect(await codeOf(collection.findOneAndUpdate(one, { $unset: { n: 1 } }))).toBe(INVALID);
    expect(await codeOf(collection.findOneAndReplace({ _id: 9 } as never, { a: 1 }, { upsert: true }))).toBe(
      INVALID,
    );
    const into = (stage: object) => source.aggregate([stage]).toArray();
    expect(await codeOf(into({ $out: collection.collectionName }))).toBe(INVALID);
    expect(await codeOf(into({ $merge: { into: collection.collectionName } }))).toBe(INVALID);
    expect(await codeOf(into({ $merge: { into: collection.collectionName, whenMatched: 'replace' } }))).toBe(
      INVALID,
    );
    expect(
      await collection
        .find()
        .sort({ n: 1 })
        .map(({ n }) => n as unknown)
        .toArray(),
    ).toEqual([1, 3]);
  });

  it('tells which document it was', async () => {
    const collection = await validated();
    const error = await rejection(collection.insertOne({ _id: 'bad', n: 'x' } as never));
    expect(error).toMatchObject({ code: INVALID, errInfo: { failingDocumentId: 'bad', details: {} } });
    const errors = await rejection(
      collection.insertMany([{ n: 1 }, { n: 'x' }, { n: 2 }], { ordered: false }),
    );
    expect(errors['writeErrors']).toMatchObject([{ index: 1, code: INVALID }]);
    expect(await collection.countDocuments()).toBe(2);
  });

  it('is not asked when that is wanted, or when nothing changes', async () => {
    const collection = await validated();
    const options = { bypassDocumentValidation: true };
    await collection.insertOne({ _id: 1, n: -1 } as never, options);
    await collection.updateOne({}, { $set: { n: -2 } }, options);
    await collection.findOneAndUpdate({}, { $set: { n: -3 } }, options);
    expect((await collection.updateOne({}, { $set: { n: -3 } })).matchedCount).toBe(1);
    await collection.aggregate([{ $out: collection.collectionName }], options).toArray();
    expect(await collection.findOne()).toEqual({ _id: 1, n: -3 });
    expect(await codeOf(collection.insertOne({ n: -1 }))).toBe(INVALID);
  });

  it('leaves invalid documents changeable when moderate, and only warns when told so', async () => {
    const collection = await validated({ validationLevel: 'moderate' });
    await collection.insertOne({ _id: 1, n: -1 } as never, { bypassDocumentValidation: true });
    await collection.updateOne({ _id: 1 } as never, { $set: { seen: true } });
    expect(await codeOf(collection.insertOne({ n: -1 }))).toBe(INVALID);
    await collection.insertOne({ _id: 2, n: 1 } as never);
    expect(await codeOf(collection.updateOne({ _id: 2 } as never, { $set: { n: -1 } }))).toBe(INVALID);
    const warning = await validated({ validationAction: 'warn' });
    await warning.insertOne({ n: -1 });
    const off = await validated({ validationLevel: 'off' });
    await off.insertOne({ n: -1 });
  });

  it('can be given, changed and taken away with collMod, and is listed', async () => {
    const collection = server.collection();
    await collection.insertOne({ n: -1 });
    const collMod = (options: object) =>
      server.db.command({ collMod: collection.collectionName, ...options });
    await collMod({ validator, validationLevel: 'strict' });
    expect(await codeOf(collection.insertOne({ n: -1 }))).toBe(INVALID);
    const named = { name: collection.collectionName };
    expect(await server.db.listCollections(named).toArray()).toMatchObject([{ options: { validator } }]);
    await collMod({ validator: { $expr: { $lte: ['$at', '$$NOW'] } } });
    await collection.insertOne({ at: new Date(Date.now() - 60_000) });
    expect(await codeOf(collection.insertOne({ at: new Date(Date.now() + 3_600_000) }))).toBe(INVALID);
    await collMod({ validator: {} });
    await collection.insertOne({ n: -1 });
    expect(await codeOf(server.db.command({ collMod: 'none', validator }))).toBe(26);
    expect(await codeOf(collMod({ validationLevel: 'fancy' }))).toBe(2);
    expect(await codeOf(collMod({ fancy: 1 }))).toBe(40415);
  });
});

describeEmbedded('what collMod and validators cannot do', () => {
  it('is refused', async () => {
    const collection = await validated();
    const change = { collMod: collection.collectionName, index: { name: '_id_', hidden: true } };
    expect(await codeOf(server.db.command(change))).toBe(238);
    const schema = server.db.createCollection('schema', { validator: { $jsonSchema: { required: ['a'] } } });
    expect(await codeOf(schema)).toBe(238);
  });
});
