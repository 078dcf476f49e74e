import { Manager } from 'socket.io-client';
import { parseConfig } from '../../../src/config/config.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import type { RealtimeServer } from '../../../src/realtime/socket.types.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs, connectRefused, openClient } from '../../support/client.js';
import { astrologer, signToken, TEST_SECRET, tokenFor, user } from '../../support/token.js';

const FRAME_LIMIT_BYTES = 65_536;

let server: TestApp;

beforeAll(async () => {
  server = await startApp({ CORS_ORIGINS: 'https://admin.example' });
});

/** What the server answers to frames that a client of its own making writes, until it ends the connection. */
async function framesFor(...written: string[]): Promise<string[]> {
  const frames: string[] = [];
  const manager = new Manager(server.url, {
    transports: ['websocket'],
    reconnection: false,
    autoConnect: false,
  });
  closeAfterTest(() => manager.engine.close());
  await new Promise((resolve) => manager.open(resolve));
  const closed = new Promise((resolve) => manager.engine.once('close', resolve));
  manager.engine.on('packet', ({ type, data }: { type: string; data?: unknown }) => {
    if (type === 'message') frames.push(String(data));
  });
  for (const frame of written) manager.engine.write(frame);
  await closed;
  return frames;
}

describe('faults of the former backend: identity', () => {
  it('A missing, bad or expired token made the socket anonymous, and anonymous counted as admin', async () => {
    const bad = [
      undefined,
      '',
      'garbage',
      { $ne: null },
      await signToken({ sub: 'u1', userType: 'user' }, { secret: 'not-the-secret-of-this-server-123456' }),
    ];
    for (const token of bad) {
      const { data } = await connectRefused(server.url, { auth: { token } });
      expect(data?.code).toBe('UNAUTHENTICATED');
    }
    const expired = await signToken({ sub: 'u1', userType: 'user' }, { expiresIn: -60 });
    expect((await connectRefused(server.url, { auth: { token: expired } })).data?.code).toBe('TOKEN_EXPIRED');
    // Who was never let in, and asks for what is for admins all the same, is put out unheard.
    const conversations = '21["dm:conversations",{}]';
    expect(await framesFor('20["get_stats",{}]', conversations)).toEqual([]);
    const answers = await framesFor('0{"token":"garbage"}', '20["get_stats",{}]', conversations);
    expect(answers.filter((frame) => !/^4.*"UNAUTHENTICATED"/.test(frame))).toEqual([]);
  });

  it.each(['admin123', 'your_admin_secret_key'])('A default admin key was accepted (%s)', async (key) => {
    expect((await connectRefused(server.url, { auth: { token: key } })).data?.code).toBe('UNAUTHENTICATED');
    const environment = {
      NODE_ENV: 'production',
      MONGODB_URI: 'mongodb://127.0.0.1',
      JWT_SECRET: TEST_SECRET,
      ADMIN_SECRET_KEY: key,
    };
    expect(() => parseConfig(environment)).toThrow('ADMIN_SECRET_KEY');
  });

  it('`user` identities could not log in', async () => {
    const { greeting } = await connectAs(server.url, user('u1'));
    expect(greeting.user).toMatchObject({ id: 'u1', userType: 'user', role: 'user', isAnonymous: false });
  });

  it('Expiry was not checked on live sockets', async () => {
    const client = await connectAs(server.url, user('u2'));
    const { server: io } = server.app.get<{ server: RealtimeServer }>(EmitterService, { strict: false });
    const socket = io.sockets.sockets.get(client.socket.id ?? '');
    if (socket === undefined) throw new Error('no such socket');
    const ask = () => client.send('dm:conversations', {});
    expect(await ask()).toMatchObject({ ok: true });
    // As if the token had run out longer ago than the grace.
    socket.data.expiresAt = Date.now() - 31_000;
    expect(await ask()).toMatchObject({ ok: false, error: { code: 'TOKEN_EXPIRED' } });
  });

  it('Any origin, 100 MB frames', async () => {
    const auth = { token: await tokenFor(user('u3')) };
    const from = (Origin: string) => ({ auth, extraHeaders: { Origin } });
    await openClient(server.url, from('https://admin.example')).waitFor('connected');
    await expect(connectRefused(server.url, from('https://evil.example'))).resolves.toBeInstanceOf(Error);

    const [client, other] = [
      await connectAs(server.url, user('u4')),
      await connectAs(server.url, user('u5')),
    ];
    const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
    client.tell('dm:conversations', { cursor: 'x'.repeat(FRAME_LIMIT_BYTES) });
    await closed;
    expect(client.received.map(({ event }) => event)).toEqual(['connected']);
    expect(await other.send('dm:conversations', {})).toMatchObject({ ok: true });
    await connectAs(server.url, astrologer('a1'));
  });
});
