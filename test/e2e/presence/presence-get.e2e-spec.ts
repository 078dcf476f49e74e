import type { PresenceListPayload } from '../../../src/contract/presence.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { withPresenceTimes } from '../../support/presence.js';
import { admin, astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

let url: string;

beforeAll(async () => {
  ({ url } = await startApp({}, [], [withPresenceTimes({ offlineDelayMs: 200 })]));
});

const ask = async (client: TestClient, ...users: object[]) =>
  (await client.ask<PresenceListPayload>('presence:get', { users })).users;

describe('presence:get', () => {
  it('answers anybody, in the order of the request, repeats included', async () => {
    await connectAs(url, astrologer('ravi'));
    for (const person of [user('asha'), astrologer('tara'), admin('root')]) {
      const client = await connectAs(url, person);
      const found = await ask(
        client,
        { id: 'nobody', type: 'user' },
        { id: 'ravi', type: 'astrologer', more: 'is dropped' },
        { id: 'ravi', type: 'user' },
        { id: 'ravi', type: 'astrologer' },
      );
      expect(found).toEqual([
        { id: 'nobody', type: 'user', isOnline: false, lastSeen: null },
        { id: 'ravi', type: 'astrologer', isOnline: true, lastSeen: expect.any(String) },
        { id: 'ravi', type: 'user', isOnline: false, lastSeen: null },
        { id: 'ravi', type: 'astrologer', isOnline: true, lastSeen: expect.any(String) },
      ]);
    }
  });

  it('knows everybody who has been greeted', async () => {
    const asha = await connectAs(url, user('asha'));
    for (let i = 0; i < 10; i += 1) {
      await connectAs(url, user(`greeted${i}`));
      expect(await ask(asha, { id: `greeted${i}`, type: 'user' })).toMatchObject([{ isOnline: true }]);
    }
  });

  it('is online as long as one socket is left, then offline with the time of going, which never goes back', async () => {
    const asha = await connectAs(url, user('asha'));
    const [phone, tablet] = [await connectAs(url, user('mira')), await connectAs(url, user('mira'))];
    const mira = async () => (await ask(asha, { id: 'mira', type: 'user' }))[0];
    phone.close();
    await until(async () => (await mira())?.isOnline === true);
    const before = Date.now();
    tablet.close();
    await until(async () => (await mira())?.isOnline === false);
    const first = await mira();
    const lastSeen = Date.parse(first?.lastSeen ?? '');
    expect(lastSeen).toBeGreaterThanOrEqual(before - 1);
    expect(lastSeen).toBeLessThanOrEqual(Date.now());
    for (let i = 0; i < 20; i += 1) expect(await mira()).toEqual(first);
    const again = await connectAs(url, user('mira'));
    expect(await mira()).toMatchObject({ isOnline: true });
    again.close();
    await until(async () => (await mira())?.isOnline === false);
    expect(Date.parse((await mira())?.lastSeen ?? '')).toBeGreaterThan(lastSeen);
  });

  it('all admins are one: online while any of them is', async () => {
    const asha = await connectAs(url, user('asha'));
    const root = await connectAs(url, admin('root'));
    const found = await ask(asha, { id: 'admin', type: 'admin' }, { id: 'other', type: 'admin' });
    expect(found).toMatchObject([
      { id: 'admin', isOnline: true },
      { id: 'other', isOnline: true },
    ]);
    root.close();
    await until(async () => (await ask(asha, { id: 'admin', type: 'admin' }))[0]?.isOnline === false);
  });

  it('takes up to 100 people', async () => {
    const asha = await connectAs(url, user('asha'));
    const users = Array.from({ length: 100 }, (_, i) => ({ id: `u${i}`, type: 'user' }));
    expect(await ask(asha, ...users)).toHaveLength(100);
    expect(await asha.send('presence:get', { users: [...users, users[0]] })).toMatchObject({
      ok: false,
      error: { code: 'BAD_REQUEST', details: [{ field: 'users' }] },
    });
  });

  it.each([
    [{}],
    [{ users: [] }],
    [{ users: 'asha' }],
    [{ users: { id: 'asha', type: 'user' } }],
    [{ users: [null] }],
    [{ users: [[]] }],
    [{ users: ['user:asha'] }],
    [{ users: [{ id: 'asha' }] }],
    [{ users: [{ id: { $ne: null }, type: 'user' }] }],
    [{ users: [{ id: 'a b', type: 'user' }] }],
    [{ users: [{ id: 'asha', type: 'robot' }] }],
    [
      {
        users: [
          { id: 'asha', type: 'user' },
          { id: 'asha', type: ['user'] },
        ],
      },
    ],
  ])('refuses %j', async (payload) => {
    const asha = await connectAs(url, user('asha'));
    expect(await asha.send('presence:get', payload)).toMatchObject({
      ok: false,
      error: { code: 'BAD_REQUEST', details: [{ field: 'users', message: expect.any(String) }] },
    });
    asha.tell('presence:get', payload);
    await asha.waitFor('error', ({ event, code }) => event === 'presence:get' && code === 'BAD_REQUEST');
  });
});

describe('get_stats', () => {
  it('tells admins, as an event and in the ack', async () => {
    const { url: quiet } = await startApp();
    const root = await connectAs(quiet, admin('root'));
    await connectAs(quiet, user('asha'));
    await connectAs(quiet, user('asha'));
    await connectAs(quiet, astrologer('ravi'));
    const stats = await root.ask('get_stats');
    expect(stats).toEqual({
      connectedSockets: 4,
      onlineUsers: 1,
      onlineAstrologers: 1,
      onlineAdmins: 1,
      uptimeSeconds: expect.any(Number),
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await root.waitFor('stats')).toEqual(stats);
    root.tell('get_stats', { anything: true });
    await root.waitForCount('stats', 2);
  });

  it('gives others a harmless ack and no figures', async () => {
    for (const person of [user('asha'), astrologer('ravi')]) {
      const client = await connectAs(url, person);
      expect(await client.ask('get_stats')).toEqual({});
      client.tell('get_stats');
      await client.ask('dm:leave_conversation', { conversationId: 'barrier' });
      expect([...client.all('stats'), ...client.all('error')]).toEqual([]);
    }
  });
});
