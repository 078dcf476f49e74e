/**
 * Measures a durable server in a process of its own through the official driver:
 *   npm run build -w @samvad/embedded-mongo && node packages/embedded-mongo/bench/bench.js [messages]
 * `messages` is how many are stored for the large collection, 1,000,000 unless told.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';

const { MongoClient, ObjectId } = mongoose.mongo;
const BIN = fileURLToPath(new URL('../bin/embedded-mongo.js', import.meta.url));
const IN_FLIGHT = 32;
const CONVERSATIONS = 100;
const SMALL = 10_000;
const large = Number(process.argv[2] ?? 1_000_000);

const dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-bench-'));
const report = (name, value) => process.stdout.write(`${name.padEnd(44)} ${value}\n`);

async function start() {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [BIN, '--dir', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const uri of createInterface({ input: child.stdout })) {
    return { child, uri, ms: performance.now() - startedAt };
  }
  throw new Error('the server did not start');
}

function stop(child, signal = 'SIGTERM') {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
}

/** Resident memory in MB; Linux only. */
function resident(child) {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  } catch {
    return Number.NaN;
  }
}

/** What of the resident memory is the process's own, in MB; the rest is the database file's pages, which the system takes back when it needs them. */
function anonymous(child) {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Math.round(Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1024);
  } catch {
    return Number.NaN;
  }
}

/** Operations per second with so many in flight. */
async function rate(operations, inFlight, operation) {
  let next = 0;
  const startedAt = performance.now();
  const worker = async () => {
    while (next < operations) await operation(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return Math.round((operations * 1000) / (performance.now() - startedAt));
}

const message = (seq) => ({
  _id: new ObjectId(),
  conversation: `c${seq % CONVERSATIONS}`,
  seq,
  sender: `user-${seq % 7}`,
  text: 'The quick brown fox jumps over the lazy dog. '.repeat(1 + (seq % 3)),
  at: new Date(),
});

async function fill(collection, from, to) {
  for (let seq = from; seq < to; seq += 1000) {
    const batch = Array.from({ length: Math.min(1000, to - seq) }, (_, index) => message(seq + index));
    await collection.insertMany(batch, { ordered: false });
  }
}

async function newestFifty(collection) {
  const query = (index) =>
    collection
      .find({ conversation: `c${index % CONVERSATIONS}` })
      .sort({ seq: -1 })
      .limit(50)
      .toArray();
  await rate(200, 1, query);
  const perSecond = await rate(1500, 1, query);
  return 1000 / perSecond;
}

let { child, uri, ms } = await start();
try {
  report('start with an empty folder', `${Math.round(ms)} ms`);
  let client = await new MongoClient(uri, { maxPoolSize: IN_FLIGHT }).connect();
  let db = client.db('bench');
  const ping = () => db.command({ ping: 1 });
  await rate(500, 1, ping);
  report('ping, sequential (the floor of the driver)', `${await rate(3000, 1, ping)} /s`);
  report('memory, idle', `${resident(child)} MB`);

  const inserted = db.collection('inserted');
  await inserted.createIndex({ conversation: 1, seq: -1 }, { unique: true });
  const ids = [];
  const insertOne = async (index) => {
    const doc = message(index);
    ids.push(doc._id);
    await inserted.insertOne(doc);
  };
  await rate(2000, IN_FLIGHT, insertOne);
  const rest = (index) => insertOne(index + 2000);
  report(`insertOne, durable, ${IN_FLIGHT} in flight`, `${await rate(10_000, IN_FLIGHT, rest)} /s`);
  const findOne = (index) => inserted.findOne({ _id: ids[(index * 7919) % ids.length] });
  await rate(2000, IN_FLIGHT, findOne);
  report(`findOne by _id, ${IN_FLIGHT} in flight`, `${await rate(10_000, IN_FLIGHT, findOne)} /s`);
  const update = (index) =>
    inserted.updateOne({ _id: ids[(index * 7919) % ids.length] }, { $set: { read: true } });
  report(`updateOne by _id, durable, ${IN_FLIGHT} in flight`, `${await rate(5000, IN_FLIGHT, update)} /s`);

  let messages = db.collection('messages');
  await messages.createIndex({ conversation: 1, seq: -1 }, { unique: true });
  await fill(messages, 0, SMALL);
  const small = await newestFifty(messages);
  report(`newest 50 of a conversation at ${SMALL}`, `${small.toFixed(3)} ms`);
  const filledAt = performance.now();
  await fill(messages, SMALL, large);
  const seconds = (performance.now() - filledAt) / 1000;
  report(`insertMany up to ${large}`, `${Math.round((large - SMALL) / seconds)} documents/s`);
  const atLarge = await newestFifty(messages);
  report(
    `newest 50 of a conversation at ${large}`,
    `${atLarge.toFixed(3)} ms (${(atLarge / small).toFixed(2)} times)`,
  );
  let read = 0;
  for await (const _ of messages.find({}, { batchSize: 1000, raw: true })) read++;
  report(
    `read all ${read} through a cursor, then memory`,
    `${resident(child)} MB, own ${anonymous(child)} MB`,
  );
  await client.close();

  await stop(child, 'SIGKILL');
  ({ child, uri, ms } = await start());
  report('start with that folder after kill -9', `${Math.round(ms)} ms`);
  client = await new MongoClient(uri).connect();
  db = client.db('bench');
  messages = db.collection('messages');
  report('documents afterwards', String(await messages.estimatedDocumentCount()));
  await newestFifty(messages);
  report('memory after the restart', `${resident(child)} MB, own ${anonymous(child)} MB`);
  await client.close();
} finally {
  await stop(child);
  rmSync(dir, { recursive: true, force: true });
}
