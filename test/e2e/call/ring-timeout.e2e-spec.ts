import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callOf,
  endsAt,
  ring,
  ringEverywhere,
  ringsAt,
  told,
  withCallTimes,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, ravi } from '../../support/pair-of-test.js';
import { admin } from '../../support/token.js';

const RING_MS = 1000;
const VARIABLES = { CALL_RING_TIMEOUT_SECONDS: '1' };

let server: TestApp;
let url: string;

beforeAll(async () => {
  // What is not told at once is not told in these tests.
  server = await startApp(VARIABLES, [], [withCallTimes({ lookIntervalMs: 20, followUpMs: 3_600_000 })]);
  ({ url } = server);
});

describe('a call that nobody answers', () => {
  it('is missed when its time is over, which every device of both is told once', async () => {
    const { everybody, a1, r1, call, callId, settle } = await ringEverywhere(url, { asha, ravi });
    expect(call.ringTimeoutMs).toBeLessThanOrEqual(RING_MS);
    for (const client of everybody)
      expect(await endsAt(client, callId)).toEqual({ callId, duration: 0, reason: 'missed' });
    await settle();
    expect(everybody.map((client) => told(client, callId))).toEqual([
      ['call:end missed'],
      ['call:end missed'],
      ['call:incoming', 'call:end missed'],
      ['call:incoming', 'call:end missed'],
    ]);
    const stored = await callOf(a1, callId);
    expect(stored).toMatchObject({ status: 'missed', endReason: 'missed', duration: 0, acceptedAt: null });
    expect(Date.parse(stored.ringExpiresAt) - Date.parse(stored.startedAt)).toBe(RING_MS);
    expect(Date.parse(stored.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(stored.ringExpiresAt));
    expect((await r1.waitFor('call:incoming')).expiresAt).toBe(stored.ringExpiresAt);
  });

  it('is missed by every admin', async () => {
    const [a, ...staff] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId } = await ring(a, admin());
    for (const client of [a, ...staff])
      expect(await endsAt(client, callId)).toMatchObject({ reason: 'missed' });
  });

  it('is missed by one who was never there, and the caller is told on a device that came meanwhile', async () => {
    const a = await connectAs(url, asha);
    const { callId } = await ring(a, ravi);
    const second = await connectAs(url, asha);
    for (const client of [a, second])
      expect(await endsAt(client, callId)).toMatchObject({ reason: 'missed' });
  });

  it('frees both for the next call', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    await endsAt(a, callId);
    const again = await ring(r, asha);
    await ringsAt(a, again.callId);
  });

  it('is no call that was answered: it goes on', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    await answer(r, callId);
    // Rings after it, and is missed.
    const later = newPair();
    const [b] = await connectAll(url, later.asha);
    await endsAt(b, (await ring(b, later.ravi)).callId);
    await barrier(a, ravi, a, r);
    expect((await callOf(a, callId)).status).toBe('accepted');
    expect([told(a, callId), told(r, callId)]).toEqual([['call:accept'], ['call:incoming']]);
  });

  it('is missed although the server was not there when its time was over', async () => {
    const first = await startApp(VARIABLES);
    const [a] = await connectAll(first.url, asha);
    const { callId } = await ring(a, ravi);
    await first.app.close();
    const second = await startApp({ ...VARIABLES, MONGODB_URI: first.mongoUri });
    const [back, r] = await connectAll(second.url, asha, ravi);
    for (const client of [back, r]) {
      const found = await callOf(client, callId);
      if (found.status === 'ringing') await endsAt(client, callId);
      expect(await callOf(client, callId)).toMatchObject({ status: 'missed', endReason: 'missed' });
    }
  });

  it('rings for 60 s by default', async () => {
    const usual = await startApp();
    const a = await connectAs(usual.url, asha);
    const call = await callOf(a, (await ring(a, ravi)).callId);
    expect(Date.parse(call.ringExpiresAt) - Date.parse(call.startedAt)).toBe(60_000);
  });
});
