import type { Ack } from '../../../src/contract/ack.js';
import type { CallInitiatedPayload, CallTokenPayload } from '../../../src/contract/call.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  arrivalsBarrier,
  callOf,
  callTo,
  conflict,
  endsAt,
  expire,
  ring,
  ringsAt,
  told,
  withCallTimes,
} from '../../support/calls.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { barrier } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { withPresenceTimes } from '../../support/presence.js';
import { startRedis } from '../../support/redis.js';
import { admin } from '../../support/token.js';

let one: TestApp;
let two: TestApp;

beforeAll(async () => {
  const variables = { REDIS_URL: (await startRedis()).url };
  const short = [
    withCallTimes({ callerReturnMs: 2000, partyReturnMs: 3000, lookIntervalMs: 20 }),
    withPresenceTimes({ offlineDelayMs: 100 }),
  ];
  one = await startApp(variables, [], short);
  two = await startApp({ ...variables, MONGODB_URI: one.mongoUri }, [], short);
});

/** Each has a device on each node; a call from asha's on the first one rings at both of ravi's. */
async function ringOnBoth() {
  const [a1, r1] = [await connectAs(one.url, asha), await connectAs(one.url, ravi)];
  const [a2, r2] = [await connectAs(two.url, asha), await connectAs(two.url, ravi)];
  const everybody = [a1, a2, r1, r2];
  for (const { url } of [one, two]) await arrivalsBarrier(url);
  const { callId } = await ring(a1, ravi);
  for (const device of [r1, r2]) await ringsAt(device, callId);
  /** Whatever either node had to say to anybody has arrived. */
  const settle = async (): Promise<void> => {
    for (const sender of [a1, a2]) await barrier(sender, ravi, ...everybody);
  };
  return { a1, a2, r1, r2, everybody, callId, settle };
}

describe('two nodes with one database and one Redis', () => {
  it('ring, answer and end a call on devices of both, each of which is told once', async () => {
    const { a1, a2, r1, r2, everybody, callId, settle } = await ringOnBoth();
    await answer(r2, callId);
    for (const device of [a1, a2]) await device.waitFor('call:accept');
    expect(await endsAt(r1, callId)).toMatchObject({ reason: 'answered_elsewhere' });
    await a2.ask('call:connected', { callId });
    for (const device of [r1, r2]) await device.waitFor('call:connected');
    await r1.ask('call:end', { callId });
    for (const device of [a1, a2, r2]) await device.waitFor('call:end', ({ reason }) => reason === 'ended');
    await settle();
    expect(everybody.map((client) => told(client, callId))).toEqual([
      ['call:accept', 'call:end ended'],
      ['call:accept', 'call:end ended'],
      ['call:incoming', 'call:end answered_elsewhere', 'call:connected'],
      ['call:incoming', 'call:connected', 'call:end ended'],
    ]);
    for (const client of everybody) {
      expect(await callOf(client, callId)).toMatchObject({ status: 'ended' });
      expect(client.all('dm:message_received').filter((log) => log.callId === callId)).toHaveLength(1);
    }
  });

  it('let one of two devices answer that do so at the same moment', async () => {
    for (let i = 0; i < 5; i += 1) {
      const pair = newPair();
      const caller = await connectAs(one.url, pair.asha);
      const devices = [await connectAs(one.url, pair.ravi), await connectAs(two.url, pair.ravi)] as const;
      const { callId } = await ring(caller, pair.ravi);
      for (const device of devices) await ringsAt(device, callId);
      const acks = await Promise.all(devices.map((device) => device.send('call:accept', { callId })));
      expect(acks.filter(({ ok }) => ok)).toHaveLength(1);
      expect(acks.find(({ ok }) => !ok)).toMatchObject({ error: conflict(callId, 'accepted') });
      const loser = devices[acks.findIndex(({ ok }) => !ok)] as TestClient;
      await endsAt(loser, callId);
      for (const sender of devices) await barrier(sender, pair.asha, caller);
      expect(told(caller, callId)).toEqual(['call:accept']);
    }
  });

  it('reject a call for devices of both', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringOnBoth();
    await r2.ask('call:reject', { callId });
    for (const device of [a1, a2]) await device.waitFor('call:reject');
    await endsAt(r1, callId);
    await settle();
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      ['call:reject declined'],
      ['call:reject declined'],
      ['call:incoming', 'call:end declined_elsewhere'],
      ['call:incoming'],
    ]);
  });

  it('miss a call once, which devices of both are told once, although both look after it', async () => {
    for (let i = 0; i < 3; i += 1) {
      const { a1, everybody, callId, settle } = await ringOnBoth();
      await expire(one, callId);
      for (const client of everybody) await endsAt(client, callId);
      await settle();
      expect(
        everybody.map((client) => told(client, callId).filter((event) => event !== 'call:incoming')),
      ).toEqual(everybody.map(() => ['call:end missed']));
      for (const client of everybody)
        expect(client.all('dm:message_received').filter((log) => log.callId === callId)).toHaveLength(1);
      expect((await callOf(a1, callId)).status).toBe('missed');
      for (const client of everybody) client.close();
    }
  });

  it('ring at a device that comes to the other one', async () => {
    const a = await connectAs(one.url, asha);
    const { callId } = await ring(a, ravi);
    const late = await connectAs(two.url, ravi);
    await ringsAt(late, callId);
    await answer(late, callId);
    await a.waitFor('call:accept');
  });

  it('know of each other’s calls who is busy, and which call stands', async () => {
    const { a2, r2, callId } = await ringOnBoth();
    const m = await connectAs(two.url, mallory);
    expect(await m.send('call:initiate', callTo(ravi))).toMatchObject({ error: { code: 'BUSY' } });
    expect(await r2.send('call:initiate', callTo(asha))).toMatchObject({
      error: conflict(callId, 'ringing'),
    });
    await a2.ask('call:end', { callId });
    await ringsAt(r2, (await ring(m, ravi)).callId);
  });

  it('leave one call of two that are made against each other at the same moment', async () => {
    for (let i = 0; i < 5; i += 1) {
      const pair = newPair();
      const [a, r] = [await connectAs(one.url, pair.asha), await connectAs(two.url, pair.ravi)];
      const acks: Ack<CallInitiatedPayload>[] = await Promise.all([
        a.send<CallInitiatedPayload>('call:initiate', callTo(pair.ravi)),
        r.send<CallInitiatedPayload>('call:initiate', callTo(pair.asha)),
      ]);
      const won = acks.find((ack) => ack.ok);
      if (won?.ok !== true) throw new Error('neither rings');
      const { callId } = won.data;
      expect(acks.find((ack) => !ack.ok)).toMatchObject({ error: conflict(callId, 'ringing') });
      const loser = acks[0] === won ? r : a;
      await ringsAt(loser, callId);
      await answer(loser, callId);
    }
  });

  it('tell admins of both that another one has answered', async () => {
    const [a, here, there] = [
      await connectAs(one.url, asha),
      await connectAs(one.url, admin('one')),
      await connectAs(two.url, admin('two')),
    ];
    const { callId } = await ring(a, admin());
    for (const staff of [here, there]) await ringsAt(staff, callId);
    await answer(there, callId);
    expect(await endsAt(here, callId)).toMatchObject({ reason: 'answered_elsewhere' });
    await a.waitFor('call:accept');
    await a.ask('call:end', { callId });
  });

  it('give fresh tokens for a call that the other one knows', async () => {
    const { a2, r2, callId } = await ringOnBoth();
    await answer(r2, callId);
    const { channelName } = await r2.waitFor('call:incoming');
    for (const client of [a2, r2])
      expect(await client.ask<CallTokenPayload>('call:token', { callId })).toMatchObject({
        callId,
        channelName,
      });
  });

  it('end a call when a party has left both, not when it has left one', async () => {
    const { a1, a2, r1, r2, callId } = await ringOnBoth();
    await answer(r1, callId);
    r1.close();
    a1.close();
    // Others, of whom one goes now, are told before.
    const pair = newPair();
    const [caller, callee] = [await connectAs(one.url, pair.asha), await connectAs(two.url, pair.ravi)];
    const other = await ring(caller, pair.ravi);
    await ringsAt(callee, other.callId);
    await answer(callee, other.callId);
    callee.close();
    expect(await endsAt(caller, other.callId)).toMatchObject({ reason: 'network_error' });
    expect((await callOf(a2, callId)).status).toBe('accepted');
    r2.close();
    await a2.waitFor('call:end', ({ reason }) => reason === 'network_error');
  });

  it('cancel a call whose caller has left the other one', async () => {
    const [a, r] = [await connectAs(two.url, asha), await connectAs(one.url, ravi)];
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    a.close();
    expect(await endsAt(r, callId)).toEqual({ callId, duration: 0, reason: 'cancelled' });
  });
});

describe('a node that ends while a call rings', () => {
  it('leaves it to the other one, which misses it in time', async () => {
    const variables = { CALL_RING_TIMEOUT_SECONDS: '2', REDIS_URL: (await startRedis()).url };
    const living = await startApp(variables);
    const leaving = await startApp({ ...variables, MONGODB_URI: living.mongoUri });
    const r = await connectAs(living.url, ravi);
    const a = await connectAs(leaving.url, asha);
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    await leaving.app.close();
    expect(await endsAt(r, callId)).toMatchObject({ reason: 'missed' });
    const back = await connectAs(living.url, asha);
    expect((await callOf(back, callId)).status).toBe('missed');
  });
});
