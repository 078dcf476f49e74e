import { mkdtempSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { FolderInUseError, startEmbeddedMongo } from '../src/index.js';
import { Environment } from '../src/storage/environment.js';
import { rejection } from './support/server.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('startEmbeddedMongo', () => {
  it('refuses a folder that is in use, and leaves its owner alone', async () => {
    const first = await startEmbeddedMongo({ dir });
    const error = await rejection(startEmbeddedMongo({ dir }));
    expect(error).toBeInstanceOf(FolderInUseError);
    expect(error).toMatchObject({ code: 'FOLDER_IN_USE', name: 'FOLDER_IN_USE' });
    const client = await new mongoose.mongo.MongoClient(first.uri).connect();
    await client.db('a').collection('b').insertOne({ a: 1 });
    await client.close();
    await first.close();
    const second = await startEmbeddedMongo({ dir });
    await second.close();
    expect(readdirSync(dir).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });

  it('lets one of several that start together have the folder', async () => {
    const starts = await Promise.allSettled(Array.from({ length: 5 }, () => startEmbeddedMongo({ dir })));
    const started = starts.filter((start) => start.status === 'fulfilled');
    expect(started).toHaveLength(1);
    for (const { value } of started) await value.close();
  });

  it('takes over from an owner that no longer answers', async () => {
    const environment = new Environment(dir, false);
    environment.transact(() =>
      environment.meta.putSync(Buffer.from('owner'), Buffer.from('owner-gone.sock')),
    );
    await environment.close();
    const server = await startEmbeddedMongo({ dir });
    expect(server.dir).toBe(dir);
    await server.close();
  });

  it('works in a folder with a long path', async () => {
    const deep = join(dir, 'd'.repeat(120), 'e'.repeat(60));
    const first = await startEmbeddedMongo({ dir: deep });
    expect(await rejection(startEmbeddedMongo({ dir: deep }))).toMatchObject({ code: 'FOLDER_IN_USE' });
    await first.close();
  });

  it('removes its temporary folder, and may be closed twice', async () => {
    const server = await startEmbeddedMongo();
    expect(existsSync(server.dir)).toBe(true);
    await Promise.all([server.close(), server.close()]);
    expect(existsSync(server.dir)).toBe(false);
  });

  it('tells of a port in use and takes no other host', async () => {
    const server = await startEmbeddedMongo();
    expect(await rejection(startEmbeddedMongo({ port: server.port }))).toMatchObject({ code: 'EADDRINUSE' });
    expect(await rejection(startEmbeddedMongo({ host: '0.0.0.0' }))).toBeInstanceOf(RangeError);
    await server.close();
  });
});
