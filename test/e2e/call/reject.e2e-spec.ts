import { startApp, type TestApp } from '../../support/app.js';
import {
  callIn,
  callOf,
  conflict,
  endRinging,
  endsAt,
  expectNothingForOutsiders,
  ring,
  ringEverywhere,
  ringsAt,
  STATES,
  told,
  WRONG_CALL_IDS,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier, MISSING_ID, refusal } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { admin } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

describe('call:reject', () => {
  it('tells the caller’s devices, and ends the ringing on the callee’s others', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    expect(await r1.ask('call:reject', { callId })).toEqual({ callId, status: 'rejected', duration: 0 });
    const rejected = { callId, contactId: ravi.id, reason: 'declined' };
    expect(await a1.waitFor('call:reject')).toEqual(rejected);
    expect(await a2.waitFor('call:reject')).toEqual(rejected);
    expect(await endsAt(r2, callId)).toEqual({ callId, duration: 0, reason: 'declined_elsewhere' });
    await settle();
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      ['call:reject declined'],
      ['call:reject declined'],
      ['call:incoming'],
      ['call:incoming', 'call:end declined_elsewhere'],
    ]);
    expect(await callOf(a1, callId)).toMatchObject({
      status: 'rejected',
      endReason: 'declined',
      duration: 0,
      acceptedAt: null,
      endedAt: expect.any(String) as string,
    });
  });

  it.each([
    ['in a meeting', 'in a meeting'],
    ['busy', 'busy'],
    ['बाद में 🙏', 'बाद में 🙏'],
    ['', 'declined'],
    [null, 'declined'],
  ])('gives the caller the callee’s reason %j as %j', async (reason, expected) => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    r1.tell('call:reject', { callId, reason });
    expect(await a1.waitFor('call:reject')).toEqual({ callId, contactId: ravi.id, reason: expected });
    expect((await callOf(r1, callId)).endReason).toBe(expected);
  });

  it('may be sent by any admin, for all of them', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId } = await ring(a, admin());
    for (const staff of [one, two]) await ringsAt(staff, callId);
    await two.ask('call:reject', { callId });
    expect(await a.waitFor('call:reject')).toMatchObject({ contactId: 'admin', reason: 'declined' });
    expect(await endsAt(one, callId)).toMatchObject({ reason: 'declined_elsewhere' });
  });

  it('leaves both free for the next call', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    await r1.ask('call:reject', { callId });
    expect((await ring(a1, ravi)).status).toBe('ringing');
  });

  it.each(STATES.filter((state) => state !== 'ringing'))(
    'of a call that is %s gets CONFLICT and changes nothing',
    async (state) => {
      const [a, r] = await connectAll(url, asha, ravi);
      const callId = await callIn(state, server, [a, r, ravi]);
      const [call, ...heard] = [await callOf(a, callId), told(a, callId), told(r, callId)];
      expect(await refusal(r, 'call:reject', { callId, reason: 'late' })).toMatchObject(
        conflict(callId, state),
      );
      await barrier(a, ravi, a, r);
      expect(await callOf(a, callId)).toMatchObject({ status: state, endReason: call.endReason });
      expect([told(a, callId), told(r, callId)]).toEqual(heard);
    },
  );

  it('at the end of the ringing is a miss, whoever comes first', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await endRinging(server, callId);
    expect(await refusal(r1, 'call:reject', { callId })).toMatchObject(conflict(callId, 'missed'));
    await settle();
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      ['call:end missed'],
      ['call:end missed'],
      ['call:incoming', 'call:end missed'],
      ['call:incoming', 'call:end missed'],
    ]);
    expect(await callOf(a1, callId)).toMatchObject({ status: 'missed', endReason: 'missed' });
  });

  it('is forbidden to the caller', async () => {
    const { a1, r1, callId, settle } = await ringEverywhere(url, { asha, ravi });
    expect((await refusal(a1, 'call:reject', { callId })).code).toBe('FORBIDDEN');
    await settle();
    expect((await callOf(r1, callId)).status).toBe('ringing');
    expect(told(r1, callId)).toEqual(['call:incoming']);
  });

  it('tells outsiders the same of a call as of none', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a1, r1], 'call:reject', callId);
    expect((await callOf(a1, callId)).status).toBe('ringing');
  });

  it.each(WRONG_CALL_IDS)('refuses %j', async (payload) => {
    await expectBadField(await connectAs(url, ravi), 'call:reject', payload, 'callId');
  });

  it.each([42, {}, ['declined'], 'x'.repeat(101), 'a\nb', '\ud800'])(
    'refuses the reason %j',
    async (reason) => {
      const r = await connectAs(url, ravi);
      await expectBadField(r, 'call:reject', { callId: MISSING_ID, reason }, 'reason');
    },
  );
});
