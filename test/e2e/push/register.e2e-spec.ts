import type { PushService } from '../../../src/push/push.service.js';
import type { TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import type { FcmServer } from '../../support/fcm-server.js';
import { aMessage, startWithFcm, storedTokens, withDevice } from '../../support/push.js';
import { admin, astrologer, user } from '../../support/token.js';

const MAX_DEVICES = 10;
const MAX_ADMIN_DEVICES = 200;

let fcm: FcmServer;
let node: TestApp;
let push: PushService;

beforeAll(async () => {
  ({ fcm, node, push } = await startWithFcm());
});

const device = (token: string) => ({ token, platform: 'ios' });

describe('push:register', () => {
  it('makes the device get its owner’s pushes, once however often it is registered', async () => {
    const client = await connectAs(node.url, user('often'));
    for (let i = 0; i < 3; i += 1)
      expect(await client.ask('push:register', device('often-token'))).toEqual({ success: true });
    expect(await storedTokens(node, 'user:often')).toEqual(['often-token']);
    const [first, second] = [aMessage(), aMessage()];
    push.message(user('often'), first);
    await fcm.waitFor('often-token');
    push.message(user('often'), second);
    await fcm.waitFor('often-token', 2);
    expect(fcm.to('often-token').map(({ message }) => message.data.messageId)).toEqual([
      first.messageId,
      second.messageId,
    ]);
  });

  it('keeps at most 10 devices of an identity: the oldest registration goes', async () => {
    const client = await connectAs(node.url, user('many'));
    for (let i = 0; i < MAX_DEVICES; i += 1) await client.ask('push:register', device(`many-${i}`));
    // Registered again, the first is the newest.
    await client.ask('push:register', device('many-0'));
    await client.ask('push:register', device('many-10'));
    const kept = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((i) => `many-${i}`);
    expect(await storedTokens(node, 'user:many')).toEqual(kept.toSorted());
  });

  it('keeps at most 10 of 15 that register at the same moment', async () => {
    const clients = await Promise.all([0, 1, 2].map(() => connectAs(node.url, user('crowd'))));
    await Promise.all(
      clients.flatMap((client, i) =>
        [0, 1, 2, 3, 4].map((j) => client.ask('push:register', device(`crowd-${i}-${j}`))),
      ),
    );
    expect(await storedTokens(node, 'user:crowd')).toHaveLength(MAX_DEVICES);
  });

  it('moves a token to the identity that registered it last', async () => {
    const before = await withDevice(node.url, user('former'), 'moving');
    const after = await withDevice(node.url, astrologer('former'), 'moving');
    expect(await storedTokens(node, 'user:former')).toEqual([]);
    expect(await storedTokens(node, 'astrologer:former')).toEqual(['moving']);
    const message = aMessage();
    push.message(user('former'), aMessage());
    push.message(astrologer('former'), message);
    expect((await fcm.waitFor('moving')).message.data.messageId).toBe(message.messageId);
    for (const client of [before, after]) client.close();
  });

  it('gives a token that many identities register at once to exactly one of them', async () => {
    const clients = await Promise.all(
      Array.from({ length: 8 }, (_, i) => connectAs(node.url, user(`rival-${i}`))),
    );
    await Promise.all(clients.map((client) => client.ask('push:register', device('contested'))));
    const owners = await Promise.all(clients.map((_, i) => storedTokens(node, `user:rival-${i}`)));
    expect(owners.flat()).toEqual(['contested']);
  });

  it('sends what is for the shared admin to the devices of all admins, of which there may be more', async () => {
    const one = await withDevice(node.url, admin('one'), 'admin-one');
    const two = await withDevice(node.url, admin('two'), 'admin-two');
    push.message({ id: 'admin', type: 'admin' }, aMessage());
    await Promise.all([fcm.waitFor('admin-one'), fcm.waitFor('admin-two')]);
    for (let i = 0; i < MAX_ADMIN_DEVICES; i += 20) {
      const batch = Array.from({ length: 20 }, (_, j) => device(`admin-device-${i + j}`));
      const client = i % 40 === 0 ? one : two;
      await Promise.all(batch.map((entry) => client.ask('push:register', entry)));
    }
    expect(await storedTokens(node, 'admin:admin')).toHaveLength(MAX_ADMIN_DEVICES);
    expect(await storedTokens(node, 'admin:admin')).not.toContain('admin-one');
  });

  it.each([
    ['no token', { platform: 'web' }, 'token'],
    ['an empty token', { token: '', platform: 'web' }, 'token'],
    ['a token that is too long', { token: 'x'.repeat(4097), platform: 'web' }, 'token'],
    ['a token with a space', { token: 'a b', platform: 'web' }, 'token'],
    ['a token that is no text', { token: { $ne: null }, platform: 'web' }, 'token'],
    ['another platform', { token: 'x', platform: 'fridge' }, 'platform'],
    ['no platform', { token: 'x' }, 'platform'],
  ])('refuses %s', async (_, payload, field) => {
    const client = await connectAs(node.url, user('wrong'));
    const ack = await client.send('push:register', payload);
    expect(ack).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', details: [{ field }] } });
    client.tell('push:register', payload);
    expect(await client.waitFor('error')).toMatchObject({ event: 'push:register', code: 'BAD_REQUEST' });
    expect(await storedTokens(node, 'user:wrong')).toEqual([]);
  });

  it('takes the longest token', async () => {
    const client = await withDevice(node.url, user('long'), 'x'.repeat(4096));
    expect(await storedTokens(node, 'user:long')).toEqual(['x'.repeat(4096)]);
    client.close();
  });
});

describe('push:unregister', () => {
  it('takes one device out, and may be repeated', async () => {
    const client = await withDevice(node.url, user('leaver'), 'leaver-old', 'leaver-new');
    for (let i = 0; i < 2; i += 1)
      expect(await client.ask('push:unregister', { token: 'leaver-old' })).toEqual({ success: true });
    push.message(user('leaver'), aMessage());
    await fcm.waitFor('leaver-new');
    expect(fcm.to('leaver-old')).toEqual([]);
    expect(await storedTokens(node, 'user:leaver')).toEqual(['leaver-new']);
  });

  it('leaves the token of another alone, and tells nothing of it', async () => {
    await withDevice(node.url, user('owner'), 'owned');
    const stranger = await connectAs(node.url, user('stranger'));
    const answers = await Promise.all(
      ['owned', 'unknown'].map((token) => stranger.send('push:unregister', { token })),
    );
    expect(answers[0]).toEqual({ ok: true, data: { success: true } });
    expect(answers[1]).toEqual(answers[0]);
    expect(await storedTokens(node, 'user:owner')).toEqual(['owned']);
  });

  it('refuses what is no token', async () => {
    const client = await connectAs(node.url, user('wrong'));
    expect(await client.send('push:unregister', { token: 5 })).toMatchObject({
      ok: false,
      error: { code: 'BAD_REQUEST', details: [{ field: 'token' }] },
    });
  });
});
