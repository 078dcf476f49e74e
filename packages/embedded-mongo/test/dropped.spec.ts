import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { startEmbeddedMongo, type EmbeddedMongo } from '../src/index.js';

const { MongoClient } = mongoose.mongo;
/** So many that every stepped command needs several steps. */
const DOCUMENTS = 15_000;

const dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-dropped-'));
let server: EmbeddedMongo;
let client: InstanceType<typeof MongoClient>;

async function start(): Promise<void> {
  server = await startEmbeddedMongo({ dir, durable: false });
  client = new MongoClient(server.uri);
}

async function stop(): Promise<void> {
  await client.close();
  await server.close();
}

beforeAll(start);
afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

const listed = async (name: string) =>
  (await client.db(name).listCollections().toArray()).map(({ name: collection }) => collection);

async function filled(database: string): Promise<void> {
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    _id: i as never,
    n: i,
    tags: [i, i + 1],
  }));
  await client.db(database).collection('source').insertMany(documents);
}

/** Runs `work` and, once it has begun, `drop`; both are settled in the end, whichever way the race goes. */
async function race(work: Promise<unknown>, drop: () => Promise<unknown>): Promise<void> {
  const [worked] = await Promise.all([
    work.then(
      () => 'done',
      (error: { code?: number }) => error.code,
    ),
    drop(),
  ]);
  expect(['done', 175]).toContain(worked);
}

/** What a database holds can be read, counted and written, and is the same after a restart. */
async function expectSound(database: string): Promise<void> {
  const look = async () => {
    const names = (await listed(database)).toSorted((a, b) => a.localeCompare(b));
    const counts = [];
    for (const name of names) {
      const collection = client.db(database).collection(name);
      const found = await collection.find({}, { projection: { _id: 1 } }).toArray();
      expect(await collection.countDocuments({ _id: { $exists: true } })).toBe(found.length);
      expect(await collection.estimatedDocumentCount()).toBe(found.length);
      counts.push(found.length);
    }
    return { names, counts };
  };
  const before = await look();
  await stop();
  await start();
  expect(await look()).toEqual(before);
}

describe('a collection that is dropped while a command works on it in steps', () => {
  it('stays away after an index build', async () => {
    await filled('build');
    const source = client.db('build').collection('source');
    await race(source.createIndex({ n: 1 }), () => source.drop());
    await expectSound('build');
    expect(await listed('build')).toEqual([]);
  });

  it.each(['drop of the target', 'drop of the database'])('$merge: %s', async (how) => {
    const database = `merge${how.length}`;
    await filled(database);
    const target = client.db(database).collection('target');
    await target.createIndex({ tags: 1 });
    const merging = client
      .db(database)
      .collection('source')
      .aggregate([{ $merge: { into: 'target' } }])
      .toArray();
    await race(merging, () =>
      how === 'drop of the target' ? target.drop() : client.db(database).dropDatabase(),
    );
    await expectSound(database);
    const left = how === 'drop of the target' ? DOCUMENTS : 0;
    expect(await client.db(database).collection('source').countDocuments()).toBe(left);
  });

  it('$out: drop of the database', async () => {
    await filled('out');
    await client.db('out').collection('target').insertOne({ before: true });
    const writing = client
      .db('out')
      .collection('source')
      .aggregate([{ $out: 'target' }])
      .toArray();
    await race(writing, () => client.db('out').dropDatabase());
    await client
      .db('out')
      .collection('target')
      .insertOne({ _id: 'after' as never });
    expect(
      await client
        .db('out')
        .collection('target')
        .findOne({ _id: 'after' as never }),
    ).toEqual({ _id: 'after' });
    await expectSound('out');
  });
});

describe('a filter of one-clause $or, nested deeply', () => {
  it('is compiled in no time worth speaking of', async () => {
    let filter: object = { n: 3 };
    for (let depth = 0; depth < 90; depth += 1) filter = { $or: [filter] };
    await client.db('deep').collection('c').insertOne({ n: 3 });
    expect(await client.db('deep').collection('c').countDocuments(filter)).toBe(1);
  });
});
