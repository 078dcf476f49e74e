import { PushService } from '../../../src/push/push.service.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { answers, FcmServer } from '../../support/fcm-server.js';
import { aCall, aMessage, startWithFcm, withDevice } from '../../support/push.js';
import { astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

let fcm: FcmServer;
let node: TestApp;
let other: TestApp;
let push: PushService;

beforeAll(async () => {
  ({ fcm, node, push } = await startWithFcm());
  other = await startApp({ FCM_URL: fcm.url, MONGODB_URI: node.mongoUri });
});

const retriesOf = (party: string) => collectionOf(node, 'pushretries').countDocuments({ party });

/** Milliseconds between the pushes to a token. */
function gapsOf(token: string): number[] {
  const times = fcm.to(token).map(({ at }) => at);
  return times.slice(1).map((time, i) => time - (times[i] as number));
}

describe('a push that FCM did not take', () => {
  it.each([
    ['429', answers.quota],
    ['503', answers.unavailable],
  ])('is sent again no sooner than Retry-After says (%s)', async (status, answer) => {
    const id = `after-${status}`;
    await withDevice(node.url, user(id), id);
    fcm.plan(id, answer(3), answers.success);
    const message = aMessage();
    push.message(user(id), message);
    const again = await fcm.waitFor(id, 2);
    expect(again.message.data).toEqual(fcm.to(id)[0]?.message.data);
    expect(again.message.data.messageId).toBe(message.messageId);
    expect(gapsOf(id)[0]).toBeGreaterThanOrEqual(3000);
    await until(async () => (await retriesOf(`user:${id}`)) === 0);
    expect(fcm.to(id)).toHaveLength(2);
  });

  it('does not keep its place among those under way while it waits', async () => {
    await withDevice(node.url, user('waiting'), 'waiting');
    fcm.plan('waiting', answers.unavailable(50));
    const start = performance.now();
    push.message(user('waiting'), aMessage());
    await until(async () => (await retriesOf('user:waiting')) === 1);
    expect(performance.now() - start).toBeLessThan(8000);
    expect(fcm.to('waiting')).toHaveLength(1);
  });

  it('is sent again after waits that grow, by one of several nodes only', async () => {
    await withDevice(node.url, user('growing'), 'growing');
    fcm.plan('growing', answers.internal, answers.htmlFault, answers.internal, answers.success);
    push.message(user('growing'), aMessage());
    await fcm.waitFor('growing', 4);
    const [first, second, third] = gapsOf('growing') as [number, number, number];
    expect(first).toBeGreaterThanOrEqual(1000);
    expect(second).toBeGreaterThanOrEqual(2000);
    expect(third).toBeGreaterThanOrEqual(4000);
    // Its removal is the end of it: had another node taken it too, it would have sent it before.
    await until(async () => (await retriesOf('user:growing')) === 0);
    expect(fcm.to('growing')).toHaveLength(4);
  });

  it('is sent once for each device, however many wait and however many nodes look', async () => {
    const tokens = Array.from({ length: 10 }, (_, i) => `shared-${i}`);
    await withDevice(node.url, user('shared'), ...tokens);
    // Both nodes have looked by then, and wake for the same moment.
    for (const token of tokens) fcm.plan(token, answers.quota(6), answers.success);
    for (let i = 0; i < 5; i += 1) push.message(user('shared'), aMessage());
    await Promise.all(tokens.map((token) => fcm.waitFor(token, 6)));
    await until(async () => (await retriesOf('user:shared')) === 0);
    for (const token of tokens) {
      const ids = fcm.to(token).map(({ message }) => message.data.messageId);
      expect([ids.length, new Set(ids).size]).toEqual([6, 5]);
    }
  });

  it('is repeated at once when FCM had just closed the connection that was kept', async () => {
    await withDevice(node.url, user('kept'), 'kept');
    const state = { seen: new Set<unknown>(), hasCut: false };
    fcm.plan('kept', (response) => {
      const { socket } = response.req;
      if (state.hasCut) return answers.hang(response);
      state.hasCut = state.seen.has(socket);
      state.seen.add(socket);
      return (state.hasCut ? answers.cut : answers.success)(response);
    });
    for (let i = 1; !state.hasCut; i += 1) {
      push.message(user('kept'), aMessage());
      await fcm.waitFor('kept', i);
    }
    await until(
      () => fcm.to('kept').at(-1)?.message.data.messageId === fcm.to('kept').at(-2)?.message.data.messageId,
    );
    // What is tried again later is stored while it is under way.
    expect(await retriesOf('user:kept')).toBe(0);
  });

  it.each(['the same node', 'another node'])(
    'is given up when its message is deleted on %s',
    async (where) => {
      const id = `deleted-on-${where.replaceAll(' ', '-')}`;
      await withDevice(node.url, user(id), id);
      fcm.plan(id, answers.quota(2), answers.success);
      const [doomed, kept] = [aMessage({ content: 'sent by mistake' }), aMessage()];
      for (const message of [doomed, kept]) push.message(user(id), message);
      await until(async () => (await retriesOf(`user:${id}`)) > 0);
      const deleting = (where === 'another node' ? other : node).app.get(PushService);
      deleting.messageDeleted(user(id), doomed.messageId);
      // Long before it is due: the text is gone with it.
      const retries = collectionOf(node, 'pushretries');
      await until(async () => (await retries.countDocuments({ 'data.messageId': doomed.messageId })) === 0);
      expect(
        fcm.to(id, 'message').filter(({ message }) => message.data.messageId === doomed.messageId),
      ).toHaveLength(1);
      await until(async () => (await retriesOf(`user:${id}`)) === 0);
      fcm.plan(id, answers.quota(4), answers.success);
      const barrier = aMessage();
      push.message(user(id), barrier);
      await until(
        () => fcm.to(id).filter(({ message }) => message.data.messageId === barrier.messageId).length === 2,
      );
      expect(fcm.to(id).filter(({ message }) => message.data.messageId === doomed.messageId)).toHaveLength(1);
    },
  );

  it.each(['the same node', 'another node'])(
    'is not stored, or not sent again, when its message was deleted on %s during the attempt',
    async (where) => {
      const id = `deleted-during-${where.replaceAll(' ', '-')}`;
      await withDevice(node.url, user(id), id);
      let fail: (() => void) | undefined;
      fcm.plan(id, (response) => (fail = () => answers.internal(response)), answers.success);
      const message = aMessage();
      push.message(user(id), message);
      await fcm.waitFor(id);
      (where === 'another node' ? other : node).app
        .get(PushService)
        .messageDeleted(user(id), message.messageId);
      const isKnown = async () =>
        (await collectionOf(node, 'pushcancels').countDocuments({
          _id: `message:${message.messageId}` as never,
        })) === 1;
      await until(isKnown);
      fail?.();
      fcm.plan(id, answers.quota(3), answers.success);
      const barrier = aMessage();
      push.message(user(id), barrier);
      // The deleted one would have been due before.
      await until(
        () => fcm.to(id).filter((sent) => sent.message.data.messageId === barrier.messageId).length === 2,
      );
      expect(fcm.to(id).filter((sent) => sent.message.data.messageId === message.messageId)).toHaveLength(1);
      await until(async () => (await retriesOf(`user:${id}`)) === 0);
    },
  );

  it('is given up when its message is deleted while it waits for its first attempt', async () => {
    await withDevice(node.url, user('long-queue'), 'long-queue');
    const messages = Array.from({ length: 300 }, () => aMessage());
    for (const message of messages) push.message(user('long-queue'), message);
    const doomed = messages.at(-2)?.messageId ?? '';
    push.messageDeleted(user('long-queue'), doomed);
    await fcm.waitFor('long-queue', 299);
    const sent = fcm.to('long-queue').map(({ message }) => message.data.messageId);
    expect(sent).toContain(messages.at(-1)?.messageId);
    expect(sent).not.toContain(doomed);
  });

  it('is given up when FCM refuses it for good', async () => {
    await withDevice(node.url, user('refused'), 'refused');
    fcm.plan('refused', answers.internal, answers.invalidMessage);
    push.message(user('refused'), aMessage());
    await fcm.waitFor('refused', 2);
    await until(async () => (await retriesOf('user:refused')) === 0);
  });

  it('does not follow a token to another identity, nor one that is unregistered', async () => {
    const client = await withDevice(node.url, user('first-owner'), 'handed-over', 'taken-out');
    for (const token of ['handed-over', 'taken-out']) fcm.plan(token, answers.quota(1), answers.success);
    push.message(user('first-owner'), aMessage());
    await until(async () => (await retriesOf('user:first-owner')) === 2);
    await withDevice(node.url, user('second-owner'), 'handed-over');
    await client.ask('push:unregister', { token: 'taken-out' });
    await until(async () => (await retriesOf('user:first-owner')) === 0);
    expect([fcm.to('handed-over').length, fcm.to('taken-out').length]).toEqual([1, 1]);
  });

  it('survives a restart', async () => {
    const { mongoUri } = await startApp();
    const first = await startApp({ FCM_URL: fcm.url, MONGODB_URI: mongoUri });
    await withDevice(first.url, user('patient'), 'patient');
    fcm.plan('patient', answers.quota(2), answers.success);
    const message = aMessage();
    first.app.get(PushService).message(user('patient'), message);
    await until(async () => (await collectionOf(first, 'pushretries').countDocuments()) === 1);
    await first.app.close();
    expect(fcm.to('patient')).toHaveLength(1);
    await startApp({ FCM_URL: fcm.url, MONGODB_URI: mongoUri });
    const again = await fcm.waitFor('patient', 2);
    expect(again.message.data.messageId).toBe(message.messageId);
    expect(gapsOf('patient')[0]).toBeGreaterThanOrEqual(2000);
  });
});

describe('a ring that FCM did not take', () => {
  it('is sent again while the call rings, and its token is stored nowhere', async () => {
    await withDevice(node.url, astrologer('again'), 'again');
    fcm.plan('again', answers.internal, answers.success);
    const call = aCall();
    push.callRinging(astrologer('again'), call);
    await fcm.waitFor('again');
    expect(await retriesOf('astrologer:again')).toBe(0);
    const again = await fcm.waitFor('again', 2);
    expect(again.message.data).toMatchObject({ type: 'call', callId: call.callId });
    expect(Number.parseFloat(again.message.android.ttl)).toBeLessThan(
      Number.parseFloat(fcm.to('again')[0]?.message.android.ttl ?? ''),
    );
    expect(await retriesOf('astrologer:again')).toBe(0);
  });

  it.each(['the same node', 'another node'])('is not sent after a cancel on %s', async (where) => {
    const id = where.replaceAll(' ', '-');
    await withDevice(node.url, astrologer(id), id);
    fcm.plan(id, answers.quota(1), answers.success);
    const call = aCall();
    push.callRinging(astrologer(id), call);
    await fcm.waitFor(id);
    const canceller = where === 'another node' ? other : node;
    canceller.app.get(PushService).callCancelled(astrologer(id), call.callId);
    await fcm.waitFor(id, 1, 'call_cancel');
    // The ring would have been due at 1 to 1.5 s.
    fcm.plan(id, answers.quota(3), answers.success);
    push.message(astrologer(id), aMessage());
    await fcm.waitFor(id, 2, 'message');
    expect(fcm.to(id, 'call')).toHaveLength(1);
  });

  it('is ended by the cancel, which does not wait for it', async () => {
    await withDevice(node.url, astrologer('hung'), 'hung');
    fcm.plan('hung', answers.hang, answers.success);
    const call = aCall();
    push.callRinging(astrologer('hung'), call);
    await fcm.waitFor('hung');
    push.callCancelled(astrologer('hung'), call.callId);
    await fcm.waitFor('hung', 1, 'call_cancel');
    // Rings that come after their cancel, from whichever node, do not go out at all.
    push.callRinging(astrologer('hung'), call);
    other.app.get(PushService).callRinging(astrologer('hung'), call);
    const later = aCall();
    other.app.get(PushService).callRinging(astrologer('hung'), later);
    push.message(astrologer('hung'), aMessage());
    await Promise.all([fcm.waitFor('hung', 2, 'call'), fcm.waitFor('hung', 1, 'message')]);
    expect(fcm.to('hung', 'call').map(({ message }) => message.data.callId)).toEqual([
      call.callId,
      later.callId,
    ]);
  });

  it('leaves a cancel that is sent again until FCM takes it', async () => {
    await withDevice(node.url, astrologer('stubborn'), 'stubborn');
    fcm.plan('stubborn', answers.internal, answers.success);
    push.callCancelled(astrologer('stubborn'), 'call-stubborn');
    const again = await fcm.waitFor('stubborn', 2);
    expect(again.message.data).toEqual({ type: 'call_cancel', callId: 'call-stubborn' });
    expect(again.message.android.priority).toBe('high');
  });
});
