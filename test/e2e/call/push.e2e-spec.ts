import { PushService } from '../../../src/push/push.service.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { startApp, type TestApp } from '../../support/app.js';
import { answer, callTo, endsAt, expire, ring, ringsAt } from '../../support/calls.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { answers, FcmServer } from '../../support/fcm-server.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { isOnline } from '../../support/presence.js';
import { aMessage, withDevice } from '../../support/push.js';
import { startRedis } from '../../support/redis.js';
import { admin, type Person } from '../../support/token.js';
import { until } from '../../support/until.js';

let fcm: FcmServer;
let node: TestApp;
let other: TestApp;
let url: string;

beforeAll(async () => {
  fcm = await FcmServer.start();
  const variables = { FCM_URL: fcm.url, REDIS_URL: (await startRedis()).url };
  node = await startApp(variables);
  other = await startApp({ ...variables, MONGODB_URI: node.mongoUri });
  ({ url } = node);
});

/** A token of each person's own, because the people are others in every test. */
const deviceOf = ({ id, type }: Person, n = 1): string => `device-${n}-of-${type}-${id}`;

/** The pushes about a call that came for a device, in order. */
const pushesAbout = (callId: string, device: string): string[] =>
  fcm
    .to(device)
    .filter(({ message }) => message.data.callId === callId)
    .map(({ message }) => message.data.type ?? '');

/** A later call by the same caller rings at the device: what was to come before it has come. */
async function pushBarrier(caller: TestClient, callee: Person, device = deviceOf(callee)): Promise<void> {
  const { callId } = await ring(caller, callee);
  await until(() => pushesAbout(callId, device).length > 0);
  await caller.ask('call:end', { callId });
}

/** Waits for a push that FCM puts off for longer than it does a ring: that one would have been sent again by then. */
async function laterPush(): Promise<void> {
  const device = deviceOf(mallory);
  await withDevice(url, mallory, device);
  fcm.plan(device, answers.quota(3), answers.success);
  node.app.get(PushService).message(mallory, aMessage());
  await fcm.waitFor(device, 2);
}

describe('the push of a call', () => {
  it('goes out although a socket is connected, for the rest of the ringing', async () => {
    const device = deviceOf(ravi);
    const r = await withDevice(url, ravi, device);
    const a = await connectAs(url, { ...asha, name: 'Asha', avatar: 'https://a.example/a.jpg' });
    const before = Date.now();
    const call = await ring(a, ravi);
    const { expiresAt } = await ringsAt(r, call.callId);
    const { message } = await fcm.waitFor(device);
    const after = Date.now();
    const { agoraToken, timestamp, ...data } = message.data;
    expect(data).toEqual({
      type: 'call',
      callId: call.callId,
      callerId: asha.id,
      callerName: 'Asha',
      callerAvatar: 'https://a.example/a.jpg',
      callerType: 'user',
      callType: 'voice',
      channelName: call.channelName,
      agoraAppId: call.agoraAppId,
      expiresAt,
    });
    expect(decodeAgoraToken(agoraToken ?? '')).toMatchObject({
      channelName: call.channelName,
      privileges: { join: 3600, publishAudio: 3600 },
    });
    expect(agoraToken).not.toBe(call.agoraToken);
    expect(timestamp).toMatch(/^\d{4}-.*Z$/);
    expect(message.android.priority).toBe('high');
    const ttlMs = Number.parseFloat(message.android.ttl) * 1000;
    expect(ttlMs).toBeLessThanOrEqual(Date.parse(expiresAt) - before);
    expect(ttlMs).toBeGreaterThanOrEqual(Date.parse(expiresAt) - after);
    expect(message.apns.headers['apns-expiration']).toBe(String(Math.floor(Date.parse(expiresAt) / 1000)));
  });

  it('is a video_call for video, and goes to every device of the callee, and to none of the caller', async () => {
    const a = await withDevice(url, asha, deviceOf(asha));
    await withDevice(url, ravi, deviceOf(ravi), deviceOf(ravi, 2));
    const { callId } = await ring(a, ravi, { callType: 'video' });
    for (const device of [deviceOf(ravi), deviceOf(ravi, 2)])
      expect((await fcm.waitFor(device)).message.data).toMatchObject({ type: 'video_call', callId });
    await a.ask('call:end', { callId });
    await pushBarrier(a, ravi);
    expect(fcm.to(deviceOf(asha))).toEqual([]);
  });

  it('goes to one who is away, and wakes a device that then rings and answers', async () => {
    const a = await connectAs(url, asha);
    (await withDevice(url, ravi, deviceOf(ravi))).close();
    await until(async () => (await isOnline(a, ravi)) === false);
    const { callId, recipientOnline } = await ring(a, ravi);
    expect(recipientOnline).toBe(false);
    const { message } = await fcm.waitFor(deviceOf(ravi));
    const woken = await connectAs(url, ravi);
    await ringsAt(woken, message.data.callId ?? '');
    await answer(woken, callId);
    await a.waitFor('call:accept');
  });

  it('to the admins goes to the devices of all', async () => {
    const a = await connectAs(url, asha);
    const devices = ['admin-one', 'admin-two'];
    await withDevice(url, admin('one'), 'admin-one');
    await withDevice(url, admin('two'), 'admin-two');
    const { callId } = await ring(a, admin());
    for (const device of devices) expect((await fcm.waitFor(device)).message.data.callId).toBe(callId);
    await a.ask('call:end', { callId });
    for (const device of devices) await fcm.waitFor(device, 1, 'call_cancel');
  });

  it('of a caller whom the callee has blocked, or who meets somebody busy, is none', async () => {
    const [a, m] = [await connectAs(url, asha), await connectAs(url, mallory)];
    const r = await withDevice(url, ravi, deviceOf(ravi));
    await r.ask('dm:block', { userId: mallory.id, userType: mallory.type });
    expect((await m.send('call:initiate', callTo(ravi))).ok).toBe(false);
    await r.ask('dm:unblock', { userId: mallory.id, userType: mallory.type });
    const open = await ring(a, ravi);
    expect(await m.send('call:initiate', callTo(ravi))).toMatchObject({ error: { code: 'BUSY' } });
    await a.ask('call:end', { callId: open.callId });
    await fcm.waitFor(deviceOf(ravi), 1, 'call_cancel');
    await pushBarrier(m, ravi);
    const from = (caller: Person) =>
      fcm.to(deviceOf(ravi), 'call').filter(({ message }) => message.data.callerId === caller.id);
    expect([from(asha).length, from(mallory).length]).toEqual([1, 1]);
  });
});

describe('call_cancel', () => {
  it.each(['cancelled', 'missed', 'rejected', 'declined by hanging up'])(
    'is pushed to every device of the callee when the call is %s',
    async (how) => {
      const devices = [deviceOf(ravi), deviceOf(ravi, 2)];
      const r = await withDevice(url, ravi, ...devices);
      const a = await connectAs(url, asha);
      const { callId } = await ring(a, ravi);
      await ringsAt(r, callId);
      for (const device of devices) await fcm.waitFor(device, 1, 'call');
      if (how === 'cancelled') await a.ask('call:end', { callId });
      else if (how === 'missed') await expire(node, callId);
      else await r.ask(how === 'rejected' ? 'call:reject' : 'call:end', { callId });
      for (const device of devices) {
        const { message } = await fcm.waitFor(device, 1, 'call_cancel');
        expect(message.data).toEqual({ type: 'call_cancel', callId });
        expect(message.android.priority).toBe('high');
      }
      await pushBarrier(a, ravi);
      for (const device of devices) expect(pushesAbout(callId, device)).toEqual(['call', 'call_cancel']);
    },
  );

  it('ends a ring that FCM did not take yet: it never goes out', async () => {
    const device = deviceOf(ravi);
    await withDevice(url, ravi, device);
    fcm.plan(device, answers.quota(1), answers.success);
    const a = await connectAs(url, asha);
    const { callId } = await ring(a, ravi);
    await fcm.waitFor(device, 1, 'call');
    await a.ask('call:end', { callId });
    await fcm.waitFor(device, 1, 'call_cancel');
    await laterPush();
    expect(pushesAbout(callId, device)).toEqual(['call', 'call_cancel']);
  });

  it('is none when a call ends that was answered', async () => {
    const device = deviceOf(ravi);
    const r = await withDevice(url, ravi, device);
    const a = await connectAs(url, asha);
    const { callId } = await ring(a, ravi);
    await fcm.waitFor(device, 1, 'call');
    await answer(r, callId);
    await a.ask('call:end', { callId });
    await endsAt(r, callId);
    await pushBarrier(a, ravi);
    expect(pushesAbout(callId, device)).toEqual(['call']);
  });
});

describe('after an accept', () => {
  it.each([
    ['the same node', () => node.url],
    ['another node', () => other.url],
  ])('on %s no push of the ring goes out any more', async (_where, acceptAt) => {
    const device = deviceOf(ravi);
    await withDevice(url, ravi, device);
    fcm.plan(device, answers.quota(1), answers.success);
    const a = await connectAs(url, asha);
    const { callId } = await ring(a, ravi);
    await fcm.waitFor(device, 1, 'call');
    const answering = await connectAs(acceptAt(), ravi);
    await ringsAt(answering, callId);
    await answer(answering, callId);
    await a.waitFor('call:accept');
    await laterPush();
    expect(pushesAbout(callId, device)).toEqual(['call']);
  });
});
