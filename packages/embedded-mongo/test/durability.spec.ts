import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { compilePackage, type CompiledPackage, kill, spawnServer } from './support/compiled.js';

const { MongoClient } = mongoose.mongo;
const WRITERS = 8;
/** A round is killed when so many writes of it are acknowledged. */
const KILL_AFTER = 400;

let dir: string;
let compiled: CompiledPackage;
beforeAll(() => {
  compiled = compilePackage();
}, 60_000);
afterAll(() => compiled.remove());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Acknowledged {
  readonly inserted: Set<string>;
  /** Lowest value that each counter must have, by _id. */
  readonly counters: Map<string, number>;
}

async function writeUntilKilled(
  uri: string,
  round: number,
  acknowledged: Acknowledged,
  stop: () => Promise<void>,
) {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000, retryWrites: false });
  await client.connect();
  const messages = client.db('t').collection('messages');
  const counters = client.db('t').collection<{ _id: string; n: number }>('counters');
  await messages.createIndex({ conversation: 1, seq: -1 }, { unique: true });
  let writes = 0;
  let killing: Promise<void> | undefined;
  const writer = async (number: number): Promise<void> => {
    for (let seq = 0; !killing; seq++) {
      const conversation = `${round}/${number}`;
      await messages.insertOne({ conversation, seq, text: 'x'.repeat(seq % 300) });
      acknowledged.inserted.add(`${conversation}/${seq}`);
      const _id = `${number}`;
      await counters.updateOne({ _id }, { $inc: { n: 1 } }, { upsert: true });
      acknowledged.counters.set(_id, (acknowledged.counters.get(_id) ?? 0) + 1);
      writes += 2;
      if (writes >= KILL_AFTER) killing ??= stop();
    }
  };
  await Promise.allSettled(Array.from({ length: WRITERS }, (_, number) => writer(number)));
  await killing;
  await client.close();
}

async function verify(uri: string, acknowledged: Acknowledged): Promise<void> {
  const client = await new MongoClient(uri).connect();
  const messages = client.db('t').collection('messages');
  const scanned = await messages.find().hint({ $natural: 1 }).toArray();
  const key = (doc: Record<string, unknown>) => `${String(doc['conversation'])}/${String(doc['seq'])}`;
  const stored = new Set(scanned.map(key));
  expect([...acknowledged.inserted].filter((id) => !stored.has(id))).toEqual([]);
  const indexed = await messages
    .find({ conversation: { $gte: '' } })
    .hint({ conversation: 1, seq: -1 })
    .toArray();
  expect(indexed.map(key).toSorted()).toEqual([...stored].toSorted());
  expect(await messages.estimatedDocumentCount()).toBe(scanned.length);
  for (const doc of scanned.slice(-50)) expect(await messages.findOne({ _id: doc._id })).toEqual(doc);
  const counters = await client.db('t').collection<{ _id: string; n: number }>('counters').find().toArray();
  for (const [id, n] of acknowledged.counters) {
    expect(counters.find(({ _id }) => _id === id)?.n).toBeGreaterThanOrEqual(n);
  }
  await client.close();
}

describe('a server that is killed while it writes', () => {
  it.each([
    ['five times in a row', 5, true],
    ['also when it does not wait for the disk, as the system still writes what it has', 2, false],
  ])(
    'has everything that it acknowledged, %s',
    async (_, rounds, durable) => {
      const acknowledged: Acknowledged = { inserted: new Set(), counters: new Map() };
      for (let round = 0; round < rounds; round++) {
        const { child, uri } = await spawnServer(compiled.entry, dir, { durable });
        await writeUntilKilled(uri, round, acknowledged, () => kill(child));
        const restarted = await spawnServer(compiled.entry, dir, { durable });
        await verify(restarted.uri, acknowledged);
        await kill(restarted.child);
      }
      expect(acknowledged.inserted.size).toBeGreaterThan((rounds * KILL_AFTER) / 4);
    },
    120_000,
  );
});
