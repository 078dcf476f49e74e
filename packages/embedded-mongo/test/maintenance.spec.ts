import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { docFromPlain, encodeDoc } from '../src/bson/encode.js';
import { parseIndexSpec } from '../src/index/definition.js';
import { startEmbeddedMongo } from '../src/index.js';
import { Catalog } from '../src/storage/catalog.js';
import { Environment } from '../src/storage/environment.js';

const { MongoClient } = mongoose.mongo;
const LIMIT_MS = 15_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a TTL index', () => {
  it('removes documents whose time is over, and no others', async () => {
    const server = await startEmbeddedMongo({ dir, durable: false, ttlIntervalMs: 20 });
    const client = await new MongoClient(server.uri).connect();
    const collection = client.db('t').collection('sessions');
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    const past = new Date(Date.now() - 61_000);
    const future = new Date(Date.now() + 3_600_000);
    await collection.insertMany([
      ...Array.from({ length: 700 }, (_, n) => ({ kind: 'past', n, at: past })),
      { kind: 'list', at: [future, past] },
      { kind: 'future', at: future },
      { kind: 'text', at: past.toISOString() },
      { kind: 'number', at: 1 },
      { kind: 'none' },
    ]);
    await until(async () => (await collection.countDocuments()) === 4);
    const kinds = await collection.distinct('kind');
    expect(kinds.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['future', 'none', 'number', 'text']);
    await client.close();
    await server.close();
  });
});

async function keysIn(folder: string): Promise<{ empty: boolean; records: number; entries: number }> {
  const environment = new Environment(folder, false);
  const empty = new Catalog(environment).graveyard.isEmpty;
  const records = environment.records.getKeysCount();
  const entries = environment.entries.getKeysCount();
  await environment.close();
  return { empty, records, entries };
}

describe('an index that was being built when the process died', () => {
  it('is gone at the next start, with what it had already', async () => {
    const environment = new Environment(dir, false);
    const catalog = new Catalog(environment);
    environment.transact(() => {
      const collection = catalog.create('t', 'c');
      for (let n = 0; n < 50; n++) {
        const doc = docFromPlain({ _id: n, n });
        collection.insert(doc, encodeDoc(doc));
      }
      const spec = docFromPlain({ key: { n: 1 }, name: 'n_1' });
      const steps = catalog.createIndex(collection, parseIndexSpec(spec));
      for (let step = 0; step < 20; step++) steps.next();
      catalog.beforeCommit();
    });
    expect(environment.entries.getKeysCount()).toBe(70);
    await environment.close();

    const server = await startEmbeddedMongo({ dir, durable: false });
    const client = await new MongoClient(server.uri).connect();
    expect(await client.db('t').collection('c').indexes()).toHaveLength(1);
    await until(async () => (await keysIn(dir)).empty);
    expect(await keysIn(dir)).toEqual({ empty: true, records: 50, entries: 50 });
    await client.close();
    await server.close();
  });
});

describe('what was dropped', () => {
  it('is removed from the file in the background, also after a restart', async () => {
    const first = await startEmbeddedMongo({ dir, durable: false });
    const client = await new MongoClient(first.uri).connect();
    const collection = client.db('t').collection('big');
    await collection.createIndex({ n: 1 });
    await collection.insertMany(Array.from({ length: 3000 }, (_, n) => ({ n })));
    await collection.drop();
    await collection.insertOne({ n: 1 });
    await client.close();
    await first.close();
    const second = await startEmbeddedMongo({ dir, durable: false });
    await until(async () => {
      const state = await keysIn(dir);
      return state.empty && state.records === 1 && state.entries === 1;
    });
    expect(await keysIn(dir)).toEqual({ empty: true, records: 1, entries: 1 });
    await second.close();
  });
});
