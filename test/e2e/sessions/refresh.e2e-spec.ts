import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs, openClient, type TestClient } from '../../support/client.js';
import { admin, signToken, user } from '../../support/token.js';

const ADMIN_KEY = 'the-admin-key-of-this-test';
const asUser = { sub: 'u1', userType: 'user' };

let server: TestApp;
beforeAll(async () => {
  server = await startApp({ AUTH_EXPIRY_GRACE_SECONDS: '0', ADMIN_SECRET_KEY: ADMIN_KEY });
});

async function connectWith(token: string): Promise<TestClient> {
  const client = openClient(server.url, { auth: { token } });
  await client.waitFor('connected');
  return client;
}

describe('auth:refresh', () => {
  it('lets a connection live on after its first token has run out', async () => {
    const client = await connectWith(await signToken(asUser, { expiresIn: 2 }));
    const { expiresAt: first } = await client.waitFor('auth:expiring');
    const token = await signToken(asUser, { expiresIn: 4 });
    const { expiresAt } = await client.ask<{ expiresAt: number }>('auth:refresh', { token });
    expect(expiresAt).toBeGreaterThan(first);
    expect(await client.waitFor('auth:expiring', (notice) => notice.expiresAt === expiresAt)).toEqual({
      expiresAt,
    });
    // It ends with the second token, not with the first.
    expect(await client.waitFor('auth:expired')).toEqual({ expiresAt });
    expect(client.all('auth:expired')).toHaveLength(1);
  });

  it('never shortens the time', async () => {
    const client = await connectWith(await signToken(asUser, { expiresIn: 7200 }));
    const later = await client.ask<{ expiresAt: number }>('auth:refresh', {
      token: await signToken(asUser, { expiresIn: 9000 }),
    });
    const token = await signToken(asUser, { expiresIn: 10 });
    expect(await client.ask('auth:refresh', { token })).toEqual(later);
    expect(client.all('auth:expiring')).toEqual([]);
  });

  it('refuses what would be refused at the handshake, and what is of somebody else, and changes nothing', async () => {
    const client = await connectAs(server.url, user('u1'));
    const refusals: [unknown, string][] = [
      [await signToken(asUser, { secret: 'not-the-secret-of-this-server-0123' }), 'UNAUTHENTICATED'],
      [await signToken(asUser, { expiresIn: -60 }), 'TOKEN_EXPIRED'],
      [await signToken({ sub: 'u2', userType: 'user' }), 'FORBIDDEN'],
      [await signToken({ sub: 'u1', userType: 'astrologer' }), 'FORBIDDEN'],
      [ADMIN_KEY, 'FORBIDDEN'],
      ['garbage', 'UNAUTHENTICATED'],
      ['', 'BAD_REQUEST'],
      [{ $ne: null }, 'BAD_REQUEST'],
      [undefined, 'BAD_REQUEST'],
      ['x'.repeat(8193), 'BAD_REQUEST'],
    ];
    for (const [token, code] of refusals) {
      expect(await client.send('auth:refresh', { token })).toMatchObject({ ok: false, error: { code } });
      client.received.length = 0;
      client.tell('auth:refresh', { token });
      expect(await client.waitFor('error')).toMatchObject({ event: 'auth:refresh', code });
    }
    expect(await client.send('dm:conversations', {})).toMatchObject({ ok: true });
  });

  it('refuses a session that another login has replaced', async () => {
    const claims = { astrologerId: 'a1', sessionId: 's1' };
    const astrologers = collectionOf(server, 'astrologers');
    await astrologers.insertOne({ _id: 'a1' as never, name: 'Ravi', activeSession: { sessionId: 's1' } });
    const client = await connectWith(await signToken(claims));
    const token = await signToken(claims, { expiresIn: 7200 });
    expect(await client.send('auth:refresh', { token })).toMatchObject({ ok: true });
    await astrologers.updateOne({ _id: 'a1' as never }, { $set: { 'activeSession.sessionId': 's2' } });
    expect(await client.send('auth:refresh', { token })).toMatchObject({
      ok: false,
      error: { code: 'UNAUTHENTICATED' },
    });
  });

  it('the admin key stays one that does not run out', async () => {
    const client = await connectWith(ADMIN_KEY);
    expect(await client.ask('auth:refresh', { token: ADMIN_KEY })).toEqual({ expiresAt: null });
    const token = await signToken({ sub: 'admin', userType: 'admin' }, { expiresIn: 1 });
    expect(await client.ask('auth:refresh', { token })).toEqual({ expiresAt: null });
  });
});

describe('auth:expiring', () => {
  it('comes a minute before, after `connected`, and once', async () => {
    const client = await connectWith(await signToken(asUser, { expiresIn: 61 }));
    const { expiresAt } = await client.waitFor('auth:expiring');
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(60_000);
    expect(client.received[0]?.event).toBe('connected');
    await client.ask('dm:conversations', {});
    expect(client.all('auth:expiring')).toHaveLength(1);
  });

  it('does not come while there is time', async () => {
    const client = await connectAs(server.url, admin('root'));
    await client.ask('dm:conversations', {});
    expect(client.all('auth:expiring')).toEqual([]);
  });
});
