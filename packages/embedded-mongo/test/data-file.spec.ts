import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { startEmbeddedMongo } from '../src/index.js';

const folders: string[] = [];

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-file-'));
  folders.push(dir);
  return dir;
}

afterAll(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
});

const unusable = expect.objectContaining({ code: 'FOLDER_UNUSABLE' });

describe('a folder whose data file is not a whole database', () => {
  it.each([
    ['some text', Buffer.from('hello world')],
    ['other bytes', Buffer.alloc(100_000, 7)],
  ])('is refused, not opened: %s', async (_, bytes) => {
    const dir = folder();
    writeFileSync(join(dir, 'data.mdb'), bytes);
    await expect(startEmbeddedMongo({ dir })).rejects.toEqual(unusable);
  });

  it('is refused when it was cut short, and taken when it is whole or empty', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'data.mdb'), '');
    const first = await startEmbeddedMongo({ dir });
    const client = new mongoose.mongo.MongoClient(first.uri);
    const documents = Array.from({ length: 5000 }, (__, i) => ({ i, text: 'x'.repeat(100) }));
    await client.db('d').collection('c').insertMany(documents);
    await client.close();
    await first.close();
    await (await startEmbeddedMongo({ dir })).close();

    const path = join(dir, 'data.mdb');
    truncateSync(path, statSync(path).size / 2);
    await expect(startEmbeddedMongo({ dir })).rejects.toEqual(unusable);
  });
});
