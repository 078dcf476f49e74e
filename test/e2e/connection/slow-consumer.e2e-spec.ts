import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import { personalRoom } from '../../../src/realtime/rooms.js';
import type { RealtimeServer } from '../../../src/realtime/socket.types.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { narrowDoorOf, RawClient } from '../../support/raw-client.js';
import { astrologer, tokenFor, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 65_536;
/** What may wait at the most, of a limit of up to 1 MiB. */
const CEILING_BYTES = 8 * MIB;
const PUSH_INTERVAL_MS = 10;

const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
const logLines = (): string[] =>
  warnings.mock.calls
    .map(([line]) => String(line))
    .filter((line) => line.startsWith('Closed for not reading'));

const message = (seq: number, bytes: number): DirectMessagePayload =>
  ({ seq, content: 'x'.repeat(bytes) }) as DirectMessagePayload;
const seqsOf = (client: TestClient): number[] => client.all('dm:message_received').map(({ seq }) => seq);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

let server: TestApp;
let io: RealtimeServer;
let emitter: EmitterService;
let door: string;

beforeAll(async () => {
  server = await startApp({ SLOW_CONSUMER_LIMIT_BYTES: String(LIMIT_BYTES) });
  emitter = server.app.get(EmitterService, { strict: false });
  ({ server: io } = server.app.get<{ server: RealtimeServer }>(EmitterService, { strict: false }));
  door = await narrowDoorOf(server);
});
beforeEach(() => warnings.mockClear());

/** Sends everybody a message 100 times a second, for as long as it says; returns how many. */
async function pushWhile(holds: () => boolean, bytes: number): Promise<number> {
  let seq = 0;
  while (holds()) {
    seq += 1;
    io.emit('dm:message_received', message(seq, bytes));
    await pause(PUSH_INTERVAL_MS);
  }
  return seq;
}

describe('a client that does not read', () => {
  it('is closed, and holds back nobody else', async () => {
    const healthy = [await connectAs(server.url, user('h1')), await connectAs(server.url, user('h2'))];
    const stalled = await RawClient.connectAs(door, astrologer('s1'));

    const count = await pushWhile(() => emitter.isConnected(stalled.socketId), 4000);
    for (const client of healthy) {
      await client.waitForCount('dm:message_received', count);
      expect(seqsOf(client)).toEqual(upTo(count));
    }
    // What the kernel had taken is there to be read, and then the end.
    stalled.read();
    await until(() => stalled.isEnded);
    expect(stalled.texts.length).toBeLessThan(count);

    await until(() => logLines().length > 0);
    const [, id, bytes] = /: astrologer (\S+) \((\d+) bytes waited\)$/.exec(logLines()[0] ?? '') ?? [];
    expect(id).toBe(stalled.socketId);
    expect(Number(bytes)).toBeGreaterThan(LIMIT_BYTES);
    expect(Number(bytes)).toBeLessThan(CEILING_BYTES);
    expect(logLines()).toHaveLength(1);
  });

  it('is not sent volatile events, which others get', async () => {
    const healthy = await connectAs(server.url, user('v1'));
    const stalled = await RawClient.connectAs(door, astrologer('v2'));
    const { conn } = io.sockets.sockets.get(stalled.socketId) ?? {};
    let seq = 0;
    const send = async (isVolatile: boolean): Promise<void> => {
      seq += 1;
      const target = isVolatile ? io.volatile : io;
      target.emit('dm:message_received', message(seq, 4000));
      // In a turn of its own: Socket.IO drops the second one of a turn for everybody.
      await healthy.waitFor('dm:message_received', (received) => received.seq === seq);
    };
    while (conn?.transport.writable === true) await send(false);
    const stalledAt = seq;
    for (let i = 0; i < 20; i += 1) await send(true);
    await send(false);

    expect(seqsOf(healthy)).toEqual(upTo(stalledAt + 21));
    stalled.read();
    await until(() => stalled.texts.some((text) => text.includes(`"seq":${seq},`)));
    const got = stalled.texts.flatMap((text) => /"seq":(\d+),/.exec(text)?.[1] ?? []).map(Number);
    expect(got).toEqual([...upTo(stalledAt), stalledAt + 21]);
  });

  it('is closed at once when very much is queued between two checks', async () => {
    const stalled = await RawClient.connectAs(door, user('b1'));
    let sent = 0;
    while (emitter.isConnected(stalled.socketId) && sent < 3 * CEILING_BYTES) {
      emitter.toRooms([personalRoom(user('b1'))], 'dm:message_received', message(1, 50_000));
      sent += 50_000;
      await nextTurn();
    }
    expect(emitter.isConnected(stalled.socketId)).toBe(false);
    expect(sent).toBeGreaterThan(CEILING_BYTES);
    await until(() => logLines().length > 0);
    expect(logLines()[0]).toContain(`user ${stalled.socketId} `);
  });

  it('is closed when it pings and pings, and does not read the answers', async () => {
    const stalled = await RawClient.connectAs(door, user('b2'));
    const { transport } = io.sockets.sockets.get(stalled.socketId)?.conn ?? {};
    const { _socket: connection } = (transport as unknown as { socket: { _socket: Socket } }).socket;
    // A WebSocket's ping of 125 bytes, masked with zeros.
    const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125]), Buffer.alloc(4 + 125)]);
    const pings = Buffer.concat(Array.from({ length: 500 }, () => ping));
    let mostBytes = 0;
    let sent = 0;
    while (!stalled.isEnded && sent < 20 * CEILING_BYTES) {
      await stalled.write(pings);
      await nextTurn();
      sent += pings.length;
      mostBytes = Math.max(mostBytes, connection.writableLength);
    }
    await until(() => !emitter.isConnected(stalled.socketId));
    expect(mostBytes).toBeLessThan(CEILING_BYTES + MIB);
  });

  it('is closed when it polls, and stops polling', async () => {
    const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
    const poll = async () => (await fetch(`${url}&sid=${sid}`)).text();
    const token = await tokenFor(user('p1'));
    await fetch(`${url}&sid=${sid}`, { method: 'POST', body: `40${JSON.stringify({ token })}` });
    let texts = '';
    while (!texts.includes('"connected"')) texts += await poll();
    const socketId = /40\{"sid":"([^"]+)"/.exec(texts)?.[1] ?? '';

    await pushWhile(() => emitter.isConnected(socketId), 4000);
    await until(() => logLines().length > 0);
    expect(logLines()[0]).toContain(`user ${socketId} `);
    expect((await fetch(`${url}&sid=${sid}`)).status).toBe(400);
  });
});

it('a client on a slow line gets more than the limit, as long as it reads', async () => {
  const slow = await RawClient.connectAs(door, user('l1'));
  for (const seq of upTo(80))
    emitter.toRooms([personalRoom(user('l1'))], 'dm:message_received', message(seq, 50_000));

  const isComplete = (): boolean => slow.texts.some((text) => text.includes('"seq":80,'));
  await slow.readSlowly(isComplete, 500_000);
  expect(slow.texts.filter((text) => text.includes('"seq"'))).toHaveLength(80);
  expect(logLines()).toEqual([]);
  expect(emitter.isConnected(slow.socketId)).toBe(true);
});

it('a connection that vanished without a close is noticed within 18 s', async () => {
  const answer = await (await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).text();
  const { pingInterval, pingTimeout } = JSON.parse(answer.slice(1)) as Record<string, number>;
  expect((pingInterval ?? NaN) + (pingTimeout ?? NaN)).toBeLessThanOrEqual(18_000);
});

describe('1,000 clients that do not read, with 100 messages a second', () => {
  const CLIENTS = 1000;
  const MESSAGE_BYTES = 4000;

  it('are closed; what waits for them is in memory once, and others get everything', async () => {
    const healthy = await connectAs(server.url, user('m'));
    const stalled: RawClient[] = [];
    for (let i = 0; i < CLIENTS; i += 50) {
      const people = upTo(50).map((n) => astrologer(`m${i + n}`));
      stalled.push(...(await Promise.all(people.map((person) => RawClient.connectAs(door, person)))));
    }
    const before = process.memoryUsage();
    const start = performance.now();
    let most = 0;
    const count = await pushWhile(() => {
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
      return stalled.some(({ socketId }) => emitter.isConnected(socketId));
    }, MESSAGE_BYTES);
    const seconds = (performance.now() - start) / 1000;

    await healthy.waitForCount('dm:message_received', count);
    expect(seqsOf(healthy)).toEqual(upTo(count));
    await until(() => logLines().length > 0);
    expect(logLines().length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    // Each of them with a copy of its own would be some 1,000 times what was sent since the kernel took no more.
    expect(most).toBeLessThan(200 * MIB);
  });
});
