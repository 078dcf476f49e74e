import { Types } from 'mongoose';
import type { CallState } from '../../../src/contract/call.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { answer, callIn, callOf, endsAt, ring, ringsAt, told, withCallTimes } from '../../support/calls.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { barrier } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, ravi } from '../../support/pair-of-test.js';
import { isOnline, withPresenceTimes } from '../../support/presence.js';
import { admin } from '../../support/token.js';
import { until } from '../../support/until.js';

const CALLER_RETURN_MS = 2000;
const PARTY_RETURN_MS = 3000;
/** Of two clocks that are asked one after the other, and of what is rounded. */
const TOLERANCE_MS = 20;

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp(
    {},
    [],
    [
      withCallTimes({
        callerReturnMs: CALLER_RETURN_MS,
        partyReturnMs: PARTY_RETURN_MS,
        presenceCheckMs: 500,
        lookIntervalMs: 20,
      }),
      withPresenceTimes({ offlineDelayMs: 100 }),
    ],
  );
  ({ url } = server);
});

/** Goes for good, after whoever went before: when their call has ended, so has the time of those. */
async function othersAreGone(state: CallState): Promise<void> {
  const pair = newPair();
  const [caller, callee] = await connectAll(url, pair.asha, pair.ravi);
  const callId = await callIn(state, server, [caller, callee, pair.ravi]);
  caller.close();
  await endsAt(callee, callId);
}

/** Milliseconds until the call ends for the client after the others go. */
async function endAfterDeparture(client: TestClient, callId: string, gone: TestClient[]) {
  const wentAt = performance.now();
  for (const other of gone) other.close();
  const end = await endsAt(client, callId);
  return { ...end, afterMs: performance.now() - wentAt };
}

/** Has the parties looked at now, as if a node had come upon the call by chance; returns when that was done. */
async function lookAtParties(callId: string): Promise<void> {
  const calls = collectionOf<{ presenceDue?: Date }>(server, 'calls');
  const call = { _id: new Types.ObjectId(callId) };
  const now = new Date();
  await calls.updateOne(call, { $set: { presenceDue: now } });
  await until(async () => (await calls.findOne(call))?.presenceDue?.getTime() !== now.getTime());
}

describe('while a call rings', () => {
  it('a caller who goes and does not come back has cancelled it', async () => {
    const [a, r1, r2] = await connectAll(url, asha, ravi, ravi);
    const callId = await callIn('ringing', server, [a, r1, ravi]);
    const { afterMs, ...end } = await endAfterDeparture(r1, callId, [a]);
    expect(end).toEqual({ callId, duration: 0, reason: 'cancelled' });
    expect(afterMs).toBeGreaterThanOrEqual(CALLER_RETURN_MS - TOLERANCE_MS);
    expect(await endsAt(r2, callId)).toEqual(end);
    expect(await callOf(r1, callId)).toMatchObject({ status: 'cancelled', endReason: 'cancelled' });
  });

  it('a caller who comes back in time finds it ringing, and it can be answered', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('ringing', server, [a, r, ravi]);
    a.close();
    await until(async () => (await isOnline(r, asha)) === false);
    const back = await connectAs(url, asha);
    await othersAreGone('ringing');
    expect(await callOf(back, callId)).toMatchObject({ status: 'ringing' });
    expect(told(r, callId)).toEqual(['call:incoming']);
    await answer(r, callId);
    await back.waitFor('call:accept', (accept) => accept.callId === callId);
  });

  it('a caller who is away when somebody looks has the rest of the time', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('ringing', server, [a, r, ravi]);
    a.close();
    await until(async () => (await isOnline(r, asha)) === false);
    await lookAtParties(callId);
    const { status } = await callOf(r, callId);
    await endsAt(r, callId);
    expect([status, (await callOf(r, callId)).status]).toEqual(['ringing', 'cancelled']);
  });

  it('one lost socket of the caller among several ends nothing, whichever it is', async () => {
    const [first, second] = [newPair(), newPair()];
    const [a1, a2, r] = await connectAll(url, first.asha, first.asha, first.ravi);
    const [b1, b2, s] = await connectAll(url, second.asha, second.asha, second.ravi);
    const calls = [
      await callIn('ringing', server, [a1, r, first.ravi]),
      await callIn('ringing', server, [b1, s, second.ravi]),
    ] as const;
    a1.close();
    b2.close();
    await othersAreGone('ringing');
    expect(await callOf(a2, calls[0])).toMatchObject({ status: 'ringing' });
    expect(await callOf(b1, calls[1])).toMatchObject({ status: 'ringing' });
  });

  it('the callee may come and go', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('ringing', server, [a, r, ravi]);
    r.close();
    await othersAreGone('ringing');
    await othersAreGone('connected');
    expect(await callOf(a, callId)).toMatchObject({ status: 'ringing' });
    const back = await connectAs(url, ravi);
    await ringsAt(back, callId);
    await answer(back, callId);
  });
});

describe('in a call', () => {
  it.each([
    ['the caller', 'accepted'],
    ['the caller', 'connected'],
    ['the callee', 'accepted'],
    ['the callee', 'connected'],
  ] as const)('%s who goes and does not come back has ended it when it is %s', async (who, state) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    const [goes, stays] = who === 'the caller' ? [a, r] : [r, a];
    const { afterMs, ...end } = await endAfterDeparture(stays, callId, [goes]);
    expect(end).toEqual({ callId, duration: expect.any(Number) as number, reason: 'network_error' });
    expect(end.duration).toBeGreaterThanOrEqual(2);
    expect(afterMs).toBeGreaterThanOrEqual(PARTY_RETURN_MS - TOLERANCE_MS);
    expect(await callOf(stays, callId)).toMatchObject({ status: 'ended', endReason: 'network_error' });
  });

  it('both who go have ended it, and find it so when they are back', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    for (const client of [a, r]) client.close();
    await othersAreGone('connected');
    const [back, other] = await connectAll(url, asha, ravi);
    for (const client of [back, other])
      expect(await callOf(client, callId)).toMatchObject({ status: 'ended', endReason: 'network_error' });
  });

  it('a party that comes back in time is in it still', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    r.close();
    await until(async () => (await isOnline(a, ravi)) === false);
    const back = await connectAs(url, ravi);
    await othersAreGone('connected');
    expect(await back.ask('call:state', {})).toMatchObject({ call: { callId, status: 'connected' } });
    expect(told(a, callId)).toEqual(['call:accept']);
    await back.ask('call:end', { callId });
    expect(await endsAt(a, callId)).toMatchObject({ reason: 'ended' });
  });

  it('a party that is away when somebody looks has the rest of the time', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('accepted', server, [a, r, ravi]);
    r.close();
    await until(async () => (await isOnline(a, ravi)) === false);
    await lookAtParties(callId);
    const { status } = await callOf(a, callId);
    await endsAt(a, callId);
    expect([status, (await callOf(a, callId)).status]).toEqual(['accepted', 'ended']);
  });

  it('one lost socket of a party among several ends nothing, also not that of the device that talks', async () => {
    const [a1, a2, r1, r2] = await connectAll(url, asha, asha, ravi, ravi);
    const callId = await callIn('connected', server, [a1, r1, ravi]);
    a1.close();
    r1.close();
    await othersAreGone('connected');
    await barrier(a2, ravi, a2, r2);
    expect(await callOf(a2, callId)).toMatchObject({ status: 'connected' });
    expect([told(a2, callId), told(r2, callId)]).toEqual([
      ['call:accept'],
      ['call:incoming', 'call:end answered_elsewhere', 'call:connected'],
    ]);
  });

  it('the shared admin is there while any admin is', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId } = await ring(a, admin());
    await ringsAt(one, callId);
    await answer(one, callId);
    await endsAt(two, callId);
    one.close();
    await othersAreGone('connected');
    expect(await callOf(a, callId)).toMatchObject({ status: 'accepted' });
    const end = await endAfterDeparture(a, callId, [two]);
    expect(end.reason).toBe('network_error');
  });
});
