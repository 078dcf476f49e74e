import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { startEmbeddedMongo } from '../src/index.js';
import { rejection } from './support/server.js';

const { MongoClient } = mongoose.mongo;

describe('a server that is started again', () => {
  it('still has indexes, validators and views', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'));
    const first = await startEmbeddedMongo({ dir, durable: false });
    const writer = await new MongoClient(first.uri).connect();
    const made = await writer.db('t').createCollection('c', { validator: { n: { $gte: 0 } } });
    await made.createIndex({ n: -1 }, { unique: true });
    await made.insertMany([{ n: 1 }, { n: 2 }]);
    await writer.db('t').createCollection('v', { viewOn: 'c', pipeline: [{ $match: { n: 2 } }] });
    await writer.close();
    await first.close();

    const second = await startEmbeddedMongo({ dir, durable: false });
    const reader = await new MongoClient(second.uri).connect();
    const collection = reader.db('t').collection('c');
    expect((await rejection(collection.insertOne({ n: -1 })))['code']).toBe(121);
    expect((await rejection(collection.insertOne({ n: 1 })))['code']).toBe(11000);
    expect((await collection.indexes()).map(({ name }) => name)).toEqual(['_id_', 'n_-1']);
    expect(await reader.db('t').collection('v').countDocuments()).toBe(1);
    await reader.close();
    await second.close();
    rmSync(dir, { recursive: true, force: true });
  });
});
