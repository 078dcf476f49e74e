import type { PushService } from '../../../src/push/push.service.js';
import type { TestApp } from '../../support/app.js';
import { type FcmAnswer, answers, type FcmServer } from '../../support/fcm-server.js';
import { aCall, aMessage, startWithFcm, storedTokens, withDevice } from '../../support/push.js';
import { astrologer } from '../../support/token.js';
import { until } from '../../support/until.js';

let fcm: FcmServer;
let node: TestApp;
let push: PushService;

beforeAll(async () => {
  ({ fcm, node, push } = await startWithFcm());
});

describe('faults of the former backend', () => {
  describe('Tokens deleted on any error', () => {
    const KEPT: [string, FcmAnswer][] = [
      ['quota', answers.quota(1)],
      ['another sender', answers.otherSender],
      ['credentials', answers.unauthenticated],
      ["Apple's credentials", answers.appleRefuses],
      ['an internal error', answers.internal],
      ['no service', answers.unavailable(1)],
      ['a gateway', answers.htmlFault],
      ['a lost connection', answers.cut],
      ['another argument', answers.invalidMessage],
      ['a message too large', answers.tooLarge],
      ['an unknown project', answers.unknownProject],
    ];

    it.each(KEPT)('keeps a token after an error about %s', async (name, answer) => {
      const id = `kept-${KEPT.findIndex(([other]) => other === name)}`;
      await withDevice(node.url, astrologer(id), `${id}-token`, `${id}-doomed`);
      fcm.plan(`${id}-token`, answer, answers.success);
      push.message(astrologer(id), aMessage());
      await fcm.waitFor(`${id}-token`);
      fcm.plan(`${id}-doomed`, answers.unregistered);
      push.message(astrologer(id), aMessage());
      // What is dropped for a later answer is gone by then.
      await until(async () => !(await storedTokens(node, `astrologer:${id}`)).includes(`${id}-doomed`));
      expect(await storedTokens(node, `astrologer:${id}`)).toEqual([`${id}-token`]);
    });

    it.each([
      ['unregistered', answers.unregistered],
      ['not valid, in words', answers.invalidToken],
      ['not valid, by field', answers.invalidTokenField],
    ])('drops a token that is %s, and no other', async (name, answer) => {
      const id = `dropped-${name.replaceAll(/\W+/g, '-')}`;
      await withDevice(node.url, astrologer(id), `${id}-token`, `${id}-other`);
      fcm.plan(`${id}-token`, answer);
      push.message(astrologer(id), aMessage());
      await until(async () => (await storedTokens(node, `astrologer:${id}`)).length === 1);
      expect(await storedTokens(node, `astrologer:${id}`)).toEqual([`${id}-other`]);
      const before = fcm.to(`${id}-other`).length;
      push.message(astrologer(id), aMessage());
      await fcm.waitFor(`${id}-other`, before + 1);
      expect(fcm.to(`${id}-token`)).toHaveLength(1);
    });

    it('keeps a token that was registered anew while FCM found it gone', async () => {
      const client = await withDevice(node.url, astrologer('anew'), 'anew-token', 'anew-doomed');
      const held: (() => void)[] = [];
      fcm.plan('anew-token', (response) => held.push(() => answers.unregistered(response)), answers.success);
      push.message(astrologer('anew'), aMessage());
      await fcm.waitFor('anew-token');
      await client.ask('push:register', { token: 'anew-token', platform: 'android' });
      held[0]?.();
      fcm.plan('anew-doomed', answers.unregistered);
      push.message(astrologer('anew'), aMessage());
      await until(async () => !(await storedTokens(node, 'astrologer:anew')).includes('anew-doomed'));
      expect(await storedTokens(node, 'astrologer:anew')).toEqual(['anew-token']);
    });
  });

  it('no TTL, so old calls rang', async () => {
    await withDevice(node.url, astrologer('ttl'), 'ttl-token');
    const over = aCall({}, -1);
    const ringing = aCall({}, 30_000);
    push.callRinging(astrologer('ttl'), over);
    push.callRinging(astrologer('ttl'), ringing);
    const { message } = await fcm.waitFor('ttl-token');
    expect(message.data.callId).toBe(ringing.callId);
    const seconds = Number.parseFloat(message.android.ttl);
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThanOrEqual(30);
    expect(Number(message.webpush.headers.TTL)).toBe(Math.floor(seconds));
    expect(Number(message.apns.headers['apns-expiration'])).toBe(
      Math.floor(ringing.expiresAt.getTime() / 1000),
    );

    // A ring that failed is not tried again when the ringing is over by then.
    fcm.plan('ttl-token', answers.quota(2), answers.success);
    push.callRinging(astrologer('ttl'), aCall({ callId: 'short' }, 1500));
    await fcm.waitFor('ttl-token', 2);
    fcm.plan('ttl-token', answers.quota(3), answers.success);
    push.message(astrologer('ttl'), aMessage());
    await fcm.waitFor('ttl-token', 2, 'message');
    expect(fcm.to('ttl-token').filter((request) => request.message.data.callId === 'short')).toHaveLength(1);
    expect(fcm.to('ttl-token').some((request) => request.message.data.callId === over.callId)).toBe(false);
  });

  it('no cancel', async () => {
    await withDevice(node.url, astrologer('cancel'), 'cancel-token');
    const call = aCall();
    push.callRinging(astrologer('cancel'), call);
    await fcm.waitFor('cancel-token');
    push.callCancelled(astrologer('cancel'), call.callId);
    const { message } = await fcm.waitFor('cancel-token', 2);
    expect(message.data).toEqual({ type: 'call_cancel', callId: call.callId });
    expect(message.android.priority).toBe('high');
    expect(Number.parseFloat(message.android.ttl)).toBeLessThanOrEqual(60);
    expect(message.apns.headers['apns-priority']).toBe('10');
  });
});
