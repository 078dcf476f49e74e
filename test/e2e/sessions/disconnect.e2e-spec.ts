import { Redis } from 'ioredis';
import { startApp } from '../../support/app.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAll, connectAs, openClient, type TestClient } from '../../support/client.js';
import { startRedis } from '../../support/redis.js';
import { admin, astrologer, user } from '../../support/token.js';

/** Resolves when the server has ended the connection; the reason was the last event. */
async function endedBecause(client: TestClient, reason: string): Promise<void> {
  const ended = client.socket.connected
    ? new Promise((resolve) => client.socket.once('disconnect', resolve))
    : undefined;
  await client.waitFor('auth:disconnected', (payload) => payload.reason === reason);
  await ended;
  expect(client.received.at(-1)?.event).toBe('auth:disconnected');
}

describe('admin:disconnect', () => {
  it('ends every connection of an identity, on every node, and nobody else’s; it may come back', async () => {
    const redis = await startRedis();
    const first = await startApp({ REDIS_URL: redis.url });
    const second = await startApp({ REDIS_URL: redis.url, MONGODB_URI: first.mongoUri });
    const [boss, here, hereToo, other] = await connectAll(
      first.url,
      admin(),
      user('u1'),
      user('u1'),
      astrologer('u1'),
    );
    const there = await connectAs(second.url, user('u1'));
    const ask = { userId: 'u1', userType: 'user', reason: 'Spam.' };
    expect(await boss.ask('admin:disconnect', ask)).toEqual({ userId: 'u1', userType: 'user' });
    for (const client of [here, hereToo, there]) await endedBecause(client, 'by_admin');
    expect(here.all('auth:disconnected')).toEqual([{ reason: 'by_admin', message: 'Spam.' }]);
    expect(await other.send('dm:conversations', {})).toMatchObject({ ok: true });
    await connectAs(second.url, user('u1'));
  });

  it('of an admin, ends that admin’s connections, but never the one that asks', async () => {
    const { url } = await startApp({ ADMIN_SECRET_KEY: 'the-admin-key-of-this-test' });
    const [root, rootToo, other] = await connectAll(url, admin('root'), admin('root'), admin('other'));
    await root.ask('admin:disconnect', { userId: 'root', userType: 'admin' });
    await endedBecause(rootToo, 'by_admin');
    for (const client of [root, other])
      expect(await client.send('dm:conversations', {})).toMatchObject({ ok: true });
  });

  it('is for admins', async () => {
    const { url } = await startApp();
    const [u1, a1, boss] = await connectAll(url, user('u1'), astrologer('a1'), admin());
    const ask = { userId: 'a1', userType: 'astrologer' };
    for (const client of [u1, a1]) {
      expect(await client.send('admin:disconnect', ask)).toMatchObject({
        ok: false,
        error: { code: 'FORBIDDEN' },
      });
      client.tell('admin:disconnect', ask);
      expect(await client.waitFor('error')).toMatchObject({ event: 'admin:disconnect', code: 'FORBIDDEN' });
    }
    const faulty = [{}, { userId: 'a1' }, { ...ask, userType: 'ghost' }, { ...ask, reason: 'x'.repeat(201) }];
    for (const payload of [...faulty, { ...ask, userId: { $ne: null } }])
      expect(await boss.send('admin:disconnect', payload)).toMatchObject({
        ok: false,
        error: { code: 'BAD_REQUEST' },
      });
    expect(a1.all('auth:disconnected')).toEqual([]);
    // Who is not here is no fault.
    expect(await boss.send('admin:disconnect', { ...ask, userId: 'nobody' })).toMatchObject({ ok: true });
  });
});

describe('connections of one identity', () => {
  it('as many as may be stay; of one more the oldest goes, with the reason', async () => {
    const { url } = await startApp({ MAX_SOCKETS_PER_IDENTITY: '3' });
    const clients = await connectAll(url, user('u1'), user('u1'), user('u1'), user('u2'), astrologer('u1'));
    for (const client of clients)
      expect(await client.send('dm:conversations', {})).toMatchObject({ ok: true });
    const newest = await connectAs(url, user('u1'));
    await endedBecause(clients[0], 'too_many_connections');
    for (const client of [...clients.slice(1), newest]) {
      expect(await client.send('dm:conversations', {})).toMatchObject({ ok: true });
      expect(client.all('auth:disconnected')).toEqual([]);
    }
    // One that has gone leaves its place.
    newest.close();
    await connectAs(url, user('u1'));
    expect(await clients[1].send('dm:conversations', {})).toMatchObject({ ok: true });
  });

  it('the shared admin has a number of its own', async () => {
    const ADMIN_SECRET_KEY = 'the-admin-key-of-this-test';
    const { url } = await startApp({
      ADMIN_SECRET_KEY,
      MAX_SOCKETS_PER_IDENTITY: '1',
      MAX_SOCKETS_OF_SHARED_ADMIN: '2',
    });
    const clients: TestClient[] = [];
    for (let i = 0; i < 3; i += 1) {
      const client = openClient(url, { auth: { token: ADMIN_SECRET_KEY } });
      await client.waitFor('connected');
      clients.push(client);
    }
    await endedBecause(clients[0] as TestClient, 'too_many_connections');
    expect(await clients[1]?.send('dm:conversations', {})).toMatchObject({ ok: true });
  });

  it('are counted over all nodes, without those of a node that died', async () => {
    const redis = await startRedis();
    const variables = { REDIS_URL: redis.url, MAX_SOCKETS_PER_IDENTITY: '2' };
    const first = await startApp(variables);
    const second = await startApp({ ...variables, MONGODB_URI: first.mongoUri });
    const oldest = await connectAs(first.url, user('u1'));
    const next = await connectAs(second.url, user('u1'));
    await connectAs(second.url, user('u1'));
    await endedBecause(oldest, 'too_many_connections');
    await connectAs(first.url, user('u1'));
    await endedBecause(next, 'too_many_connections');

    // What a node left that died, as it stands in Redis: newer than those that live, and no reason for them to go.
    const client = new Redis(redis.url);
    closeAfterTest(() => client.disconnect());
    const [living, livingToo] = [
      await connectAs(first.url, user('u2')),
      await connectAs(second.url, user('u2')),
    ];
    await client.zadd('{samvad:sockets}:of:user:u2', Date.now() + 60_000, 'a-dead-node its-socket');
    const newest = await connectAs(first.url, user('u2'));
    await endedBecause(living, 'too_many_connections');
    for (const stays of [livingToo, newest])
      expect(await stays.send('dm:conversations', {})).toMatchObject({ ok: true });
  });
});
