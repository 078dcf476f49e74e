import { connect, type Socket } from 'node:net';
import { docFromPlain, encodeDoc } from '../src/bson/encode.js';
import { describeEmbedded, startTestServer, type TestServer } from './support/server.js';

const OP_MSG = 2013;
const MB = 1024 * 1024;
const REPLIES = 300;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

function message(fields: Record<string, unknown>): Buffer {
  const body = Buffer.concat([Buffer.alloc(5), encodeDoc(docFromPlain(fields))]);
  const header = Buffer.alloc(16);
  header.writeInt32LE(body.length + 16, 0);
  header.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([header, body]);
}

/** A client that asks but does not read. */
function open(): Promise<Socket> {
  const port = Number(new URL(server.uri).port);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.pause()));
    socket.once('error', reject);
  });
}

/** Until the server takes and answers no more; what it does for this client it does before another's ping. */
async function settled(progress: () => number): Promise<void> {
  let quiet = 0;
  for (let last = progress(); quiet < 50; last = progress()) {
    await server.db.command({ ping: 1 });
    quiet = progress() === last ? quiet + 1 : 0;
  }
}

const buffered = () => process.memoryUsage().arrayBuffers;

describeEmbedded('a client that does not read its replies', () => {
  it('waits, instead of its replies filling the memory, and gets them all in the end', async () => {
    const collection = server.collection();
    await collection.insertOne({ text: 'x'.repeat(MB) });
    const find = message({ find: collection.collectionName, $db: server.db.databaseName });
    const socket = await open();
    const before = buffered();
    for (let n = 0; n < REPLIES; n++) socket.write(find);
    await settled(() => socket.bytesRead);
    expect(buffered() - before).toBeLessThan(64 * MB);
    let received = 0;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > REPLIES * MB) resolve();
      });
      socket.resume();
    });
    socket.destroy();
  });

  it('cannot fill it with what it asks either', async () => {
    const collection = server.collection();
    await collection.insertOne({ text: 'x'.repeat(15 * MB) });
    const target = { $db: server.db.databaseName };
    const find = message({ find: collection.collectionName, ...target });
    const insert = message({ insert: 'asked', documents: [{ text: 'x'.repeat(MB) }], ...target });
    const socket = await open();
    for (let n = 0; n < 5; n++) socket.write(find);
    let taken = 0;
    const next = (): void => {
      socket.write(insert, (error) => {
        if (!error && ++taken < 90) next();
      });
    };
    next();
    await settled(() => taken);
    expect(taken).toBeLessThan(45);
    socket.destroy();
    expect(await server.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  });
});
