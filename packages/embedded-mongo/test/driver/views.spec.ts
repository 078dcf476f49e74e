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

const ON_VIEW = 166;
const codeOf = async (promise: Promise<unknown>) => (await rejection(promise))['code'];

async function filled(): Promise<Collection> {
  const collection = server.collection();
  await collection.createIndex({ kind: 1 });
  const docs = Array.from({ length: 30 }, (_, n) => ({
    _id: n,
    kind: n % 2 ? 'odd' : 'even',
    n,
    tags: [n % 3],
  }));
  await collection.insertMany(docs as never);
  return collection;
}

function viewOn(source: Collection | string, pipeline: object[]): Promise<Collection> {
  const name = typeof source === 'string' ? source : source.collectionName;
  return server.db.createCollection(server.collection().collectionName, { viewOn: name, pipeline });
}

const oddOnes = [{ $match: { kind: 'odd' } }, { $project: { kind: 0 } }];

describe('a view', () => {
  it('is read as a collection is', async () => {
    const view = await viewOn(await filled(), oddOnes);
    const found = await view
      .find({ n: { $gt: 3 } }, { projection: { n: 1, _id: 0 } })
      .sort({ n: -1 })
      .skip(1)
      .limit(2)
      .toArray();
    expect(found).toEqual([{ n: 27 }, { n: 25 }]);
    expect(await view.findOne({ _id: 3 } as never)).toEqual({ _id: 3, n: 3, tags: [0] });
    expect(await view.find({}, { batchSize: 4 }).toArray()).toHaveLength(15);
    expect(await view.countDocuments({ n: { $lt: 10 } })).toBe(5);
    expect(await view.estimatedDocumentCount()).toBe(15);
    expect(new Set(await view.distinct('tags'))).toEqual(new Set([0, 1, 2]));
    expect(await view.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }]).toArray()).toEqual([
      { _id: null, n: 225 },
    ]);
    expect(await view.findOne({ kind: 'odd' })).toBeNull();
  });

  it('shows what is there now, also by way of another view, a join and a write of its result', async () => {
    const collection = await filled();
    const view = await viewOn(collection, oddOnes);
    const narrower = await viewOn(view, [{ $match: { n: { $lt: 6 } } }]);
    const read = () =>
      narrower
        .find()
        .map(({ n }) => n as unknown)
        .toArray();
    expect(await read()).toEqual([1, 3, 5]);
    await collection.deleteOne({ n: 3 });
    expect(await read()).toEqual([1, 5]);
    const joined = await collection
      .aggregate([
        { $match: { n: { $lte: 1 } } },
        { $lookup: { from: view.collectionName, localField: 'n', foreignField: 'n', as: 'odd' } },
        { $set: { odd: { $size: '$odd' } } },
        { $unionWith: { coll: narrower.collectionName } },
        { $project: { n: 1, odd: 1, _id: 0 } },
      ])
      .toArray();
    expect(joined).toEqual([{ n: 0, odd: 0 }, { n: 1, odd: 1 }, { n: 1 }, { n: 5 }]);
    const target = server.collection();
    await narrower.aggregate([{ $out: target.collectionName }]).toArray();
    expect(await target.countDocuments()).toBe(2);
  });

  it('is not written to and has no indexes', async () => {
    const collection = await filled();
    const view = await viewOn(collection, []);
    expect(await codeOf(view.insertOne({ a: 1 }))).toBe(ON_VIEW);
    expect(await codeOf(view.updateOne({}, { $set: { a: 1 } }))).toBe(ON_VIEW);
    expect(await codeOf(view.deleteMany({}))).toBe(ON_VIEW);
    expect(await codeOf(view.findOneAndDelete({}))).toBe(ON_VIEW);
    expect(await codeOf(view.createIndex({ a: 1 }))).toBe(ON_VIEW);
    expect(await codeOf(server.db.command({ listIndexes: view.collectionName }))).toBe(ON_VIEW);
    expect(await codeOf(collection.aggregate([{ $out: view.collectionName }]).toArray())).toBe(ON_VIEW);
    expect(await codeOf(view.find({}, { collation: { locale: 'en' } }).toArray())).toBe(167);
    expect(await collection.countDocuments()).toBe(30);
  });

  it('is listed, and dropped without its source', async () => {
    const collection = await filled();
    const view = await viewOn(collection, oddOnes);
    const named = { name: view.collectionName };
    expect(await server.db.listCollections(named).toArray()).toMatchObject([
      { ...named, type: 'view', options: { viewOn: collection.collectionName, pipeline: oddOnes } },
    ]);
    expect(
      await codeOf(server.db.createCollection(view.collectionName, { capped: false, viewOn: 'x' })),
    ).toBe(48);
    await view.drop();
    expect(await server.db.listCollections(named).toArray()).toEqual([]);
    expect(await collection.countDocuments()).toBe(30);
  });

  it('may be on nothing, but not on itself', async () => {
    const view = await viewOn('nothing', oddOnes);
    expect(await view.find().toArray()).toEqual([]);
    expect(await view.countDocuments()).toBe(0);
    const name = server.collection().collectionName;
    expect(await codeOf(viewOn(view, [{ $fancy: 1 }]))).toBe(40324);
    const through = await viewOn(name, []);
    expect(
      await codeOf(server.db.createCollection(name, { viewOn: through.collectionName, pipeline: [] })),
    ).toBe(5);
    const joining = [{ $lookup: { from: name, pipeline: [], as: 'all' } }];
    expect(await codeOf(server.db.createCollection(name, { viewOn: 'x', pipeline: joining }))).toBe(5);
    expect(await codeOf(server.db.command({ create: name, pipeline: [] }))).toBe(72);
  });
});

describeEmbedded('what only a collection can do', () => {
  it('is refused for a view, not answered differently', async () => {
    const collection = await filled();
    const view = await viewOn(collection, oddOnes);
    expect(await codeOf(view.find().explain())).toBe(ON_VIEW);
    expect((await rejection(view.find().sort({ $natural: -1 }).toArray()))['code']).toBe(16410);
    const positional = view.find({ tags: 1 }, { projection: { 'tags.$': 1 } });
    expect((await rejection(positional.toArray()))['code']).toBeGreaterThan(0);
    const slice = view.find({}, { projection: { tags: { $slice: 1 } } });
    expect((await rejection(slice.toArray()))['code']).toBeGreaterThan(0);
    const both = { create: 'both', viewOn: collection.collectionName, pipeline: [], validator: { a: 1 } };
    expect(await codeOf(server.db.command(both))).toBe(167);
  });
});
