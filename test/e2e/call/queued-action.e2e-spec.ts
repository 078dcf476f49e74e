import { startApp, type TestApp } from '../../support/app.js';
import {
  callIn,
  callOf,
  conflict,
  endsAt,
  expectNothingForOutsiders,
  FINAL_STATES,
  ringEverywhere,
  told,
  WRONG_CALL_IDS,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier, MISSING_ID, refusal } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

/** What a phone did while it was offline, under an event's name that was cut at its first colon. */
describe('call', () => {
  it('without duration and reason is an accept', async () => {
    const { a1, r1, r2, call, callId } = await ringEverywhere(url, { asha, ravi });
    expect(await r1.ask('call', { callId, contactId: asha.id })).toMatchObject({
      callId,
      status: 'accepted',
      channelName: call.channelName,
      agoraToken: expect.any(String) as string,
    });
    expect(await a1.waitFor('call:accept')).toMatchObject({ callId, contactId: ravi.id });
    expect(await endsAt(r2, callId)).toMatchObject({ reason: 'answered_elsewhere' });
  });

  it.each([
    ['declined', 'declined'],
    ['', 'declined'],
    ['busy', 'busy'],
  ])('with the reason %j is a reject', async (reason, expected) => {
    const { a1, r1, r2, callId } = await ringEverywhere(url, { asha, ravi });
    expect(await r1.ask('call', { callId, contactId: asha.id, reason })).toEqual({
      callId,
      status: 'rejected',
      duration: 0,
    });
    expect(await a1.waitFor('call:reject')).toEqual({ callId, contactId: ravi.id, reason: expected });
    expect(await endsAt(r2, callId)).toMatchObject({ reason: 'declined_elsewhere' });
  });

  it.each([[{ duration: 300 }], [{ duration: 0 }], [{ duration: -1.5, reason: 'hung up' }]])(
    'with %j is an end, whose duration is the server’s',
    async (fields: { duration: number; reason?: string }) => {
      const [a, r] = await connectAll(url, asha, ravi);
      const callId = await callIn('connected', server, [a, r, ravi]);
      const ended = await r.ask<{ duration: number }>('call', { callId, contactId: asha.id, ...fields });
      expect(ended).toMatchObject({ callId, status: 'ended' });
      expect(ended.duration).toBeGreaterThanOrEqual(0);
      expect(ended.duration).toBeLessThan(60);
      expect(await endsAt(a, callId)).toEqual({
        callId,
        duration: ended.duration,
        reason: fields.reason ?? 'ended',
      });
    },
  );

  it('with a duration, of a caller whose call rings, is a cancel', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    a1.tell('call', { callId, contactId: ravi.id, duration: 0 });
    expect(await endsAt(r1, callId)).toEqual({ callId, duration: 0, reason: 'cancelled' });
  });

  it('takes null for absent', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    r1.tell('call', { callId, contactId: null, duration: null, reason: null });
    await a1.waitFor('call:accept', (accept) => accept.callId === callId);
  });

  it.each(FINAL_STATES)('comes too late for a call that is %s', async (state) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    const before = [await callOf(a, callId), told(a, callId)];
    for (const action of [{}, { reason: 'declined' }, { duration: 5 }]) {
      const error = await refusal(r, 'call', { callId, contactId: asha.id, ...action });
      expect(error).toMatchObject(conflict(callId, state));
    }
    await r.waitFor('call:end', (end) => end.callId === callId && end.reason === state);
    await barrier(a, ravi, a, r);
    expect([await callOf(a, callId), told(a, callId)]).toEqual(before);
  });

  it('may be replayed twice: the second time changes nothing', async () => {
    const { a1, r1, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await r1.ask('call', { callId, reason: 'declined' });
    expect(await refusal(r1, 'call', { callId, reason: 'declined' })).toMatchObject(
      conflict(callId, 'rejected'),
    );
    await settle();
    expect(told(a1, callId)).toEqual(['call:reject declined']);
  });

  it('is forbidden to the caller as an accept and as a reject', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    for (const action of [{}, { reason: 'declined' }])
      expect((await refusal(a1, 'call', { callId, ...action })).code).toBe('FORBIDDEN');
    expect((await callOf(r1, callId)).status).toBe('ringing');
  });

  it('tells outsiders the same of a call as of none', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a1, r1], 'call', callId);
    const m = await connectAs(url, mallory);
    for (const action of [{ reason: 'declined' }, { duration: 5 }])
      expect((await refusal(m, 'call', { callId, ...action })).code).toBe('NOT_FOUND');
    expect((await callOf(a1, callId)).status).toBe('ringing');
  });

  it.each(WRONG_CALL_IDS)('refuses %j', async (payload) => {
    await expectBadField(await connectAs(url, ravi), 'call', payload, 'callId');
  });

  it.each([
    [{ duration: 'long' }, 'duration'],
    [{ duration: [3] }, 'duration'],
    [{ reason: 42 }, 'reason'],
    [{ reason: 'x'.repeat(101) }, 'reason'],
  ])('refuses %j', async (wrong, field) => {
    const r = await connectAs(url, ravi);
    await expectBadField(r, 'call', { callId: MISSING_ID, ...wrong }, field);
  });
});
