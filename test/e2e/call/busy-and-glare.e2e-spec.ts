import type { Ack } from '../../../src/contract/ack.js';
import type { CallHistoryPayload, CallInitiatedPayload } from '../../../src/contract/call.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  callTo,
  conflict,
  endRinging,
  endsAt,
  FINAL_STATES,
  ring,
  ringsAt,
  told,
} from '../../support/calls.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { barrier, refusal } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

const tryRing = (caller: TestClient, callee: Person): Promise<Ack<CallInitiatedPayload>> =>
  caller.send('call:initiate', callTo(callee));

const BUSY = {
  ok: false,
  error: { code: 'BUSY', retryable: false, details: { callId: expect.any(String) as string } },
};

const isBusy = (ack: Ack<unknown>): boolean => !ack.ok && ack.error.code === 'BUSY';

function busyCallId(ack: Ack<unknown>): string {
  expect(ack).toMatchObject(BUSY);
  return (ack as unknown as { error: { details: { callId: string } } }).error.details.callId;
}

describe('busy', () => {
  it.each(['ringing', 'accepted', 'connected'] as const)(
    'is a callee whose call is %s: the caller is told, and the two are not disturbed',
    async (state) => {
      const [a, r, m1, m2] = await connectAll(url, asha, ravi, mallory, mallory);
      const open = await callIn(state, server, [a, r, ravi]);
      const before = [told(a, open), told(r, open)];
      const callId = busyCallId(await tryRing(m1, ravi));
      expect(await m1.waitFor('call:reject')).toEqual({ callId, contactId: ravi.id, reason: 'busy' });
      await barrier(r, mallory, m1, m2, r);
      await barrier(a, ravi, a, r);
      expect([a, r, m2].map((client) => told(client, callId))).toEqual([[], [], []]);
      expect([told(a, open), told(r, open)]).toEqual(before);
      expect(m1.all('call:token')).toEqual([]);
      expect((await callOf(a, open)).status).toBe(state);
      for (const client of [m1, r]) {
        expect(await callOf(client, callId)).toMatchObject({
          status: 'rejected',
          endReason: 'busy',
          duration: 0,
          callerId: mallory.id,
        });
      }
    },
  );

  it('is told without an acknowledgement, too', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    await callIn('accepted', server, [a, r, ravi]);
    m.tell('call:initiate', callTo(ravi));
    const { callId } = await m.waitFor('call:reject', ({ reason }) => reason === 'busy');
    expect(await m.waitFor('error')).toMatchObject({
      event: 'call:initiate',
      code: 'BUSY',
      details: { callId },
    });
  });

  it('is one who is calling somebody else', async () => {
    const other = astrologer(`other-${ravi.id}`);
    const [a, r] = await connectAll(url, asha, ravi, other);
    await ring(a, other);
    busyCallId(await tryRing(r, asha));
  });

  it('is a caller who is in a call: the other one is not rung', async () => {
    const other = astrologer(`other-${ravi.id}`);
    const [a, r, o] = await connectAll(url, asha, ravi, other);
    const open = await callIn('connected', server, [a, r, ravi]);
    const callId = busyCallId(await tryRing(a, other));
    expect(await a.waitFor('call:reject')).toEqual({ callId, contactId: other.id, reason: 'busy' });
    await barrier(a, other, o);
    expect(o.all('call:incoming')).toEqual([]);
    expect((await callOf(a, open)).status).toBe('connected');
  });

  it('is a caller who rings the same one again, from whichever device', async () => {
    const [a1, a2, r] = await connectAll(url, asha, asha, ravi);
    const { callId } = await ring(a1, ravi);
    await ringsAt(r, callId);
    for (const device of [a1, a2]) busyCallId(await tryRing(device, ravi));
    await barrier(a1, ravi, r);
    expect(r.all('call:incoming')).toHaveLength(1);
  });

  it('is one in an answered call whom the other party calls', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    await callIn('accepted', server, [a, r, ravi]);
    busyCallId(await tryRing(r, asha));
  });

  it.each(FINAL_STATES)('is nobody whose call is %s', async (state) => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    await callIn(state, server, [a, r, ravi]);
    const { callId } = await ring(m, ravi);
    await ringsAt(r, callId);
  });

  it('is nobody whose call rang for its time, also before anybody has attended to that', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    const over = await ring(a, ravi);
    await ringsAt(r, over.callId);
    await endRinging(server, over.callId);
    const { callId } = await ring(m, ravi);
    await ringsAt(r, callId);
    for (const client of [a, r])
      expect(await endsAt(client, over.callId)).toMatchObject({ reason: 'missed' });
  });

  it('is nobody for having a namesake in a call', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    await callIn('connected', server, [a, r, ravi]);
    const namesake = await connectAs(url, astrologer(asha.id));
    expect((await ring(namesake, user(ravi.id))).status).toBe('ringing');
  });

  it('is an admin never, neither called nor calling', async () => {
    const [boss, a, m] = await connectAll(url, admin('boss'), asha, mallory);
    const first = await ring(a, admin());
    await ringsAt(boss, first.callId);
    await answer(boss, first.callId);
    const second = await ring(m, admin());
    await ringsAt(boss, second.callId);
    await answer(boss, second.callId);
    expect((await ring(boss, ravi)).status).toBe('ringing');
    expect((await callOf(a, first.callId)).status).toBe('accepted');
  });

  it('is a user also for an admin', async () => {
    const [boss, a, r] = await connectAll(url, admin('boss'), asha, ravi);
    await callIn('connected', server, [a, r, ravi]);
    busyCallId(await tryRing(boss, asha));
  });

  it('are all but one of those who call somebody at the same moment', async () => {
    const r = await connectAs(url, ravi);
    const people = Array.from({ length: 8 }, (_, i) => user(`caller-${i}-${ravi.id}`));
    const callers = await Promise.all(people.map((person) => connectAs(url, person)));
    const acks = await Promise.all(callers.map((caller) => tryRing(caller, ravi)));
    expect(acks.filter(({ ok }) => ok)).toHaveLength(1);
    expect(acks.filter((ack) => isBusy(ack))).toHaveLength(7);
    await barrier(r, people[0] as Person, r);
    expect(r.all('call:incoming')).toHaveLength(1);
  });
});

describe('glare', () => {
  it('the first call stands, and the second initiator may accept it', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    expect(await refusal(r, 'call:initiate', callTo(asha))).toMatchObject(conflict(callId, 'ringing'));
    await answer(r, callId);
    await a.waitFor('call:accept');
    await barrier(a, ravi, a, r);
    expect([told(a, callId), told(r, callId)]).toEqual([['call:accept'], ['call:incoming']]);
    expect(a.all('call:incoming')).toEqual([]);
    expect([r.all('call:token'), r.all('call:reject')]).toEqual([[], []]);
    for (const client of [a, r])
      expect((await client.ask<CallHistoryPayload>('call:history')).calls).toHaveLength(1);
  });

  it('of both at the same moment leaves one call, of which the other one learns', async () => {
    for (let i = 0; i < 10; i += 1) {
      const pair = newPair();
      const [a, r] = await connectAll(url, pair.asha, pair.ravi);
      const acks = await Promise.all([tryRing(a, pair.ravi), tryRing(r, pair.asha)]);
      const [won, lost] = acks.toSorted((x, y) => Number(y.ok) - Number(x.ok));
      if (won?.ok !== true) throw new Error('neither rings');
      const { callId } = won.data;
      expect(lost).toMatchObject({ ok: false, error: conflict(callId, 'ringing') });
      const loser = acks[0].ok ? r : a;
      await ringsAt(loser, callId);
      await answer(loser, callId);
    }
  });

  it('is between a user and the admins, too, in both directions', async () => {
    const [boss, other, a] = await connectAll(url, admin('boss'), admin('other'), asha);
    const first = await ring(a, admin());
    expect(await tryRing(other, asha)).toMatchObject({ error: conflict(first.callId, 'ringing') });
    await answer(other, first.callId);
    await a.ask('call:end', { callId: first.callId });
    const second = await ring(boss, asha);
    expect(await tryRing(a, admin())).toMatchObject({ error: conflict(second.callId, 'ringing') });
    await answer(a, second.callId);
  });

  it('is none with a call that rang for its time', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const over = await ring(a, ravi);
    await endRinging(server, over.callId);
    const { callId } = await ring(r, asha);
    await ringsAt(a, callId);
    expect((await callOf(a, over.callId)).status).toBe('missed');
  });
});
