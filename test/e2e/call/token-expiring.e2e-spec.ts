import type { CallTokenPayload } from '../../../src/contract/call.js';
import type { TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  endsAt,
  ringEverywhere,
  startWithTokenTtl,
  told,
} from '../../support/calls.js';
import { connectAll } from '../../support/client.js';
import { barrier } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, ravi } from '../../support/pair-of-test.js';

/** The notice comes halfway. */
const TTL_MS = 3000;
const LAPSE_MS = 2500;

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startWithTokenTtl(TTL_MS, { mediaLapseMs: LAPSE_MS, lookIntervalMs: 20 });
  ({ url } = server);
});

const epoch = (time: string): number => Date.parse(time);

describe('call:token_expiring', () => {
  it('is told to every device of both, once, and the call ends when nobody takes a fresh token', async () => {
    const { a1, r1, everybody, callId, settle } = await ringEverywhere(url, { asha, ravi });
    const { expiresAt } = await answer(r1, callId);
    for (const client of everybody)
      expect(await client.waitFor('call:token_expiring')).toEqual({ callId, expiresAt });
    const { status } = await callOf(a1, callId);
    for (const client of everybody) {
      const reason = (end: { reason: string }) => end.reason === 'token_expired';
      expect(await client.waitFor('call:end', reason)).toMatchObject({ callId });
    }
    await settle();
    expect(everybody.map((client) => client.all('call:token_expiring').length)).toEqual([1, 1, 1, 1]);
    const call = await callOf(a1, callId);
    expect([status, call.status, call.endReason]).toEqual(['accepted', 'ended', 'token_expired']);
    expect(epoch(call.endedAt ?? '')).toBeGreaterThanOrEqual(epoch(expiresAt) + LAPSE_MS);
    expect(told(a1, callId)).toEqual(['call:accept', 'call:token_expiring', 'call:end token_expired']);
  });

  it('is moved by fresh tokens of both: the next one is about the first of these', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const first = await a.waitFor('call:token_expiring');
    const fresh = [
      await a.ask<CallTokenPayload>('call:token', { callId }),
      await r.ask<CallTokenPayload>('call:token', { callId }),
    ].map(({ expiresAt }) => expiresAt);
    const notices = (await a.waitForCount('call:token_expiring', 2)).map(({ expiresAt }) => expiresAt);
    expect(notices).toEqual([first.expiresAt, fresh.toSorted()[0]]);
    expect(epoch(notices[1] ?? '')).toBeGreaterThan(epoch(first.expiresAt));
    await r.waitForCount('call:token_expiring', 2);
    const { endedAt } = (await endsAt(r, callId), await callOf(r, callId));
    expect(epoch(endedAt ?? '')).toBeGreaterThanOrEqual(epoch(fresh.toSorted()[1] ?? '') + LAPSE_MS);
  });

  it('leaves the call to one who alone took a fresh token', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('accepted', server, [a, r, ravi]);
    await r.waitFor('call:token_expiring');
    const { expiresAt } = await r.ask<CallTokenPayload>('call:token', { callId });
    expect((await a.waitForCount('call:token_expiring', 2))[1]).toEqual({ callId, expiresAt });
    await endsAt(a, callId);
    const { endedAt } = await callOf(a, callId);
    expect(epoch(endedAt ?? '')).toBeGreaterThanOrEqual(epoch(expiresAt) + LAPSE_MS);
  });

  it('is not told of a call that rings, or that is over', async () => {
    const [ringing, over, later] = [newPair(), newPair(), newPair()];
    const [a, r] = await connectAll(url, ringing.asha, ringing.ravi);
    await callIn('ringing', server, [a, r, ringing.ravi]);
    const [b, s] = await connectAll(url, over.asha, over.ravi);
    await callIn('ended', server, [b, s, over.ravi]);
    // A call that was answered after them is told of its tokens.
    const [c, t] = await connectAll(url, later.asha, later.ravi);
    await callIn('accepted', server, [c, t, later.ravi]);
    await c.waitFor('call:token_expiring');
    await barrier(a, ringing.ravi, a, r);
    await barrier(b, over.ravi, b, s);
    for (const client of [a, r, b, s]) expect(client.all('call:token_expiring')).toEqual([]);
  });
});
