import { Manager, type Socket } from 'socket.io-client';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import type { RealtimeServer } from '../../../src/realtime/socket.types.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs, openClient, type TestClient } from '../../support/client.js';
import { astrologer, signToken, user } from '../../support/token.js';

const EVENTS = ['dm:join_conversation', 'dm:leave_conversation', 'dm:send_message', 'dm:history'];

const disconnected = (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.once('disconnect', resolve));

/** Every event is refused with this code, with and without an ack, before its payload is looked at. */
async function expectAllRefused(client: TestClient, code: string): Promise<void> {
  for (const event of EVENTS) {
    expect(await client.send(event, {})).toMatchObject({ ok: false, error: { code } });
    client.received.length = 0;
    client.tell(event, {});
    expect(await client.waitFor('error')).toMatchObject({ event, code });
  }
}

function serverOf({ app }: TestApp): RealtimeServer {
  return app.get<{ server: RealtimeServer }>(EmitterService, { strict: false }).server;
}

describe('the expiry is checked on live sockets', () => {
  it('with the grace over, the connection ends with auth:expired', async () => {
    const { url } = await startApp({ AUTH_EXPIRY_GRACE_SECONDS: '0' });
    const client = openClient(url, {
      auth: { token: await signToken({ sub: 'u1', userType: 'user' }, { expiresIn: 1 }) },
    });
    const { timestamp } = await client.waitFor('connected');
    const { expiresAt } = await client.waitFor('auth:expired');
    expect(expiresAt).toBeGreaterThan(timestamp - 1);
    if (client.socket.connected) await disconnected(client.socket);
  });

  it('the admin key and a token of a thousand years do not expire', async () => {
    const { url } = await startApp({
      AUTH_EXPIRY_GRACE_SECONDS: '0',
      ADMIN_SECRET_KEY: 'the-admin-key-of-this-test',
    });
    const token = await signToken({ sub: 'u1', userType: 'user' }, { expiresIn: 1000 * 365 * 86_400 });
    for (const credentials of ['the-admin-key-of-this-test', token]) {
      const client = openClient(url, { auth: { token: credentials } });
      await client.waitFor('connected');
      expect(await client.send('dm:leave_conversation', { conversationId: 'x' })).toMatchObject({ ok: true });
    }
  });
});

describe('the guard before every event', () => {
  let testApp: TestApp;
  beforeAll(async () => {
    testApp = await startApp();
  });

  it('refuses a token that has run out, with 30 s of grace', async () => {
    const client = await connectAs(testApp.url, user('u1'));
    const { data } = serverOf(testApp).sockets.sockets.get(client.socket.id ?? '') ?? {};
    if (data === undefined) throw new Error('no such socket');
    data.expiresAt = Date.now() - 20_000;
    expect(await client.send('dm:leave_conversation', { conversationId: 'x' })).toMatchObject({ ok: true });
    data.expiresAt = Date.now() - 31_000;
    await expectAllRefused(client, 'TOKEN_EXPIRED');
  });

  it('refuses a socket without an identity', async () => {
    const client = await connectAs(testApp.url, user('u1'));
    const { data } = serverOf(testApp).sockets.sockets.get(client.socket.id ?? '') ?? {};
    delete (data as { user?: unknown }).user;
    await expectAllRefused(client, 'UNAUTHENTICATED');
  });
});

describe('one connection', () => {
  it('has one identity: asking to be let in again is refused, and nothing comes twice', async () => {
    const { url } = await startApp();
    const tokens = [
      await signToken({ sub: 'u1', userType: 'user' }),
      await signToken({ sub: 'a1', userType: 'astrologer' }),
    ];
    const frames: string[] = [];
    const manager = new Manager(url, { transports: ['websocket'], reconnection: false, autoConnect: false });
    closeAfterTest(() => manager.engine.close());
    await new Promise((resolve) => manager.open(resolve));
    const allAnswered = new Promise<void>((resolve) => {
      manager.engine.on('packet', ({ data }) => {
        frames.push(String(data));
        if (frames.filter((frame) => frame.startsWith('4')).length === 19) resolve();
      });
    });
    // Frames of the protocol as a client of its own making would write them: CONNECT to the default namespace.
    for (let i = 0; i < 20; i += 1) manager.engine.write(`0{"token":"${tokens[i % 2]}"}`);
    await allAnswered;

    const ravi = await connectAs(url, astrologer('a1'));
    await ravi.ask('dm:send_message', { recipientId: 'u1', recipientType: 'user', content: 'once' });
    await ravi.ask('dm:send_message', { recipientId: 'u1', recipientType: 'user', content: 'barrier' });
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (frames.some((frame) => frame.includes('barrier'))) resolve();
        else manager.engine.once('packet', look);
      };
      look();
    });
    expect(frames.filter((frame) => frame.includes('"connected"'))).toHaveLength(1);
    expect(frames.filter((frame) => frame.includes('"once"'))).toHaveLength(1);
  });

  it('can be let in after a refusal', async () => {
    const { url } = await startApp();
    const client = openClient(url, { auth: { token: 'bad' } });
    await new Promise((resolve) => client.socket.once('connect_error', resolve));
    client.socket.auth = { token: await signToken({ sub: 'u1', userType: 'user' }) };
    client.socket.connect();
    await client.waitFor('connected');
    client.socket.disconnect().connect();
    await client.waitForCount('connected', 2);
  });
});

it('a connection ends with its socket: who only leaves would have it for ever, and count for nobody', async () => {
  const { url } = await startApp();
  const manager = new Manager(url, { transports: ['websocket'], reconnection: false, autoConnect: false });
  closeAfterTest(() => manager.engine.close());
  await new Promise((resolve) => manager.open(resolve));
  const ended = new Promise((resolve) => manager.engine.once('close', resolve));
  const greeted = new Promise<void>((resolve) =>
    manager.engine.on('packet', ({ data }) => {
      if (String(data).includes('"connected"')) resolve();
    }),
  );
  manager.engine.write(`0{"token":"${await signToken({ sub: 'u1', userType: 'user' })}"}`);
  await greeted;
  // Socket.IO's DISCONNECT, with which a client leaves and keeps the connection.
  manager.engine.write('1');
  await ended;
});

describe('origins of web pages', () => {
  const connectFrom = (url: string, origin: string, transport: string, token: string) =>
    new Promise<boolean>((resolve) => {
      const { socket } = openClient(url, {
        auth: { token },
        transports: [transport],
        extraHeaders: { Origin: origin },
      });
      socket.once('connected', () => resolve(true));
      socket.once('connect_error', () => resolve(false));
    });

  it.each(['websocket', 'polling'])('not any origin may connect (%s)', async (transport) => {
    const { url } = await startApp({ CORS_ORIGINS: 'https://admin.example' });
    const token = await signToken({ sub: 'u1', userType: 'user' });
    expect(await connectFrom(url, 'https://admin.example', transport, token)).toBe(true);
    expect(await connectFrom(url, url, transport, token)).toBe(true);
    expect(await connectFrom(url, 'http://localhost:5173', transport, token)).toBe(true);
    expect(await connectFrom(url, 'https://evil.example', transport, token)).toBe(false);
    expect(await connectFrom(url, 'null', transport, token)).toBe(false);
  });
});
