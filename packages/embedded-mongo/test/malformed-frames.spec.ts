import { docFromPlain, encodeDoc } from '../src/bson/encode.js';
import { connect, type Socket } from 'node:net';
import { crc32c } from '../src/wire/crc32c.js';
import { startEmbeddedMongo, type EmbeddedMongo } from '../src/index.js';
import { newSeed, Random } from './support/random.js';

const OP_MSG = 2013;
let server: EmbeddedMongo;
beforeAll(async () => {
  server = await startEmbeddedMongo({ durable: false });
});
afterAll(() => server.close());

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** The first reply, or `closed` when the server ends the connection. */
function answer(socket: Socket): Promise<Buffer | 'closed'> {
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk));
    socket.once('close', () => resolve('closed'));
    socket.on('error', () => undefined);
  });
}

function message(opCode: number, body: Buffer, length = body.length + 16): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(length, 0);
  header.writeInt32LE(7, 4);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, body]);
}

function command(fields: Record<string, unknown>, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(flags, 0);
  return Buffer.concat([head, encodeDoc(docFromPlain({ ...fields, $db: 'admin' }))]);
}

async function exchange(bytes: Buffer): Promise<Buffer | 'closed'> {
  const socket = await open();
  const reply = answer(socket);
  socket.write(bytes);
  const result = await reply;
  socket.destroy();
  return result;
}

async function isAlive(): Promise<boolean> {
  const reply = await exchange(message(OP_MSG, command({ ping: 1 })));
  return reply !== 'closed' && reply.includes('ok');
}

describe('malformed messages', () => {
  it.each([
    ['a length of 2 GB', message(OP_MSG, command({ ping: 1 }), 0x7fffffff)],
    ['a negative length', message(OP_MSG, command({ ping: 1 }), -5)],
    ['a length below the header', message(OP_MSG, Buffer.alloc(0), 3)],
    ['an unknown opcode', message(2004 + 1, command({ ping: 1 }))],
    ['an unknown flag', message(OP_MSG, command({ ping: 1 }, 4))],
    [
      'an unknown section',
      message(OP_MSG, Buffer.concat([command({ ping: 1 }), Buffer.of(9, 5, 0, 0, 0, 0)])),
    ],
    ['no body', message(OP_MSG, Buffer.from([0, 0, 0, 0, 1, 9, 0, 0, 0, 0x61, 0x62, 0x63, 0x64, 0]))],
    ['a section beyond the message', message(OP_MSG, Buffer.from([0, 0, 0, 0, 0, 255, 255, 255, 127, 0]))],
  ])('with %s end the connection', async (_, bytes) => {
    expect(await exchange(bytes)).toBe('closed');
    expect(await isAlive()).toBe(true);
  });

  it('with broken BSON in a whole frame are answered with an error', async () => {
    const body = command({ ping: 1, text: 'hello' });
    body[body.indexOf('hello') - 4] = 0x7f;
    const reply = await exchange(message(OP_MSG, body));
    expect(reply).not.toBe('closed');
    expect(reply.includes('InvalidBSON')).toBe(true);
  });

  it('are told by their checksum', async () => {
    const body = command({ ping: 1 }, 1);
    const bytes = message(OP_MSG, Buffer.concat([body, Buffer.alloc(4)]));
    expect(await exchange(bytes)).toBe('closed');
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, -4)), bytes.length - 4);
    expect(await exchange(bytes)).not.toBe('closed');
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('do not make it allocate what they claim', async () => {
    const before = process.memoryUsage().rss;
    const sockets = await Promise.all(Array.from({ length: 40 }, open));
    for (const socket of sockets) socket.write(message(OP_MSG, Buffer.alloc(100), 47_000_000));
    expect(await isAlive()).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    for (const socket of sockets) socket.destroy();
  });

  it('of random bytes do not bring it down', async () => {
    const random = new Random(newSeed());
    const valid = message(
      OP_MSG,
      command({ find: 'c', filter: { a: { $gt: 1, $in: [1, 'x', null] } }, limit: 3 }),
    );
    for (let round = 0; round < 300; round++) {
      const socket = await open();
      socket.on('error', () => undefined);
      const bytes = Buffer.from(valid);
      const changes = 1 + random.below(6);
      for (let change = 0; change < changes; change++) bytes[random.below(bytes.length)] = random.below(256);
      socket.end(random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes);
      socket.resume();
    }
    expect({ seed: random.seed, alive: await isAlive() }).toEqual({ seed: random.seed, alive: true });
  });

  it('cut into single bytes are put together', async () => {
    const socket = await open();
    const reply = answer(socket);
    for (const byte of message(OP_MSG, command({ ping: 1 }))) socket.write(Buffer.of(byte));
    expect((await reply).includes('ok')).toBe(true);
    socket.destroy();
  });
});

describe('many connections', () => {
  it('are served five hundred at a time', async () => {
    const sockets = await Promise.all(Array.from({ length: 500 }, open));
    const replies = sockets.map(answer);
    for (const socket of sockets) socket.write(message(OP_MSG, command({ ping: 1 })));
    const answered = await Promise.all(replies);
    expect(answered.every((reply) => reply !== 'closed' && reply.includes('ok'))).toBe(true);
    for (const socket of sockets) socket.destroy();
  });
});
