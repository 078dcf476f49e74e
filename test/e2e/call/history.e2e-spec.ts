import type { CallHistoryPayload } from '../../../src/contract/call.js';
import { startApp, type TestApp } from '../../support/app.js';
import { callIn, callOf, ring } from '../../support/calls.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { MISSING_ID } from '../../support/direct-chat.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { admin, user } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

const historyOf = (client: TestClient, payload?: object) =>
  client.ask<CallHistoryPayload>('call:history', ...(payload === undefined ? [] : [payload]));

const idsOf = ({ calls }: CallHistoryPayload) => calls.map(({ callId }) => callId);

describe('call:history', () => {
  it('shows both parties their calls, newest first, as call:state shows each', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const ids: string[] = [];
    for (const state of ['rejected', 'missed', 'cancelled', 'ended', 'ringing'] as const)
      ids.unshift(await callIn(state, server, [a, r, ravi]));
    const calls = await Promise.all(ids.map((callId) => callOf(a, callId)));
    expect(calls.map(({ status }) => status)).toEqual([
      'ringing',
      'ended',
      'cancelled',
      'missed',
      'rejected',
    ]);
    for (const client of [a, r]) expect(await historyOf(client)).toEqual({ calls, nextCursor: null });
  });

  it('pages through all of them once, whatever is added meanwhile', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift(await callIn('cancelled', server, [a, r, ravi]));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: CallHistoryPayload = await historyOf(r, { limit: 2, cursor });
      expect(page.calls.length).toBeLessThanOrEqual(2);
      seen.push(...idsOf(page));
      cursor = page.nextCursor;
      await callIn('cancelled', server, [a, r, ravi]);
    } while (cursor !== null);
    expect(seen).toEqual(ids);
  });

  it('has no next page when the last one is just full', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    for (let i = 0; i < 2; i += 1) await callIn('cancelled', server, [a, r, ravi]);
    const page = await historyOf(a, { limit: 2 });
    expect([page.calls.length, page.nextCursor]).toEqual([2, null]);
  });

  it('shows 20 by default, and up to 100', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    for (let i = 0; i < 21; i += 1) await callIn('cancelled', server, [a, r, ravi]);
    const page = await historyOf(r);
    expect(page.calls).toHaveLength(20);
    expect(page.nextCursor).toBe(page.calls.at(-1)?.callId);
    expect((await historyOf(r, { limit: 100, cursor: null })).calls).toHaveLength(21);
  });

  it('has the calls that met somebody busy, in the history of both', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    await callIn('connected', server, [a, r, ravi]);
    await m.send('call:initiate', { recipientId: ravi.id, recipientType: ravi.type, callType: 'voice' });
    for (const client of [m, r]) {
      expect((await historyOf(client)).calls[0]).toMatchObject({
        callerId: mallory.id,
        status: 'rejected',
        endReason: 'busy',
        duration: 0,
        acceptedAt: null,
      });
    }
  });

  it('shows nobody the calls of others, also not with a cursor of theirs', async () => {
    const [a, r, m, namesake] = await connectAll(url, asha, ravi, mallory, user(ravi.id));
    const callId = await callIn('ended', server, [a, r, ravi]);
    for (const client of [m, namesake]) {
      for (const payload of [undefined, { cursor: callId }, { cursor: MISSING_ID }])
        expect(await historyOf(client, payload)).toEqual({ calls: [], nextCursor: null });
    }
  });

  it('is one history for all admins', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const before = await ring(a, admin());
    await a.ask('call:end', { callId: before.callId });
    const after = await ring(two, asha);
    for (const client of [a, one, two])
      expect(idsOf(await historyOf(client))).toEqual([after.callId, before.callId]);
  });

  it.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: 101 }, 'limit'],
    [{ limit: 1.5 }, 'limit'],
    [{ limit: '5' }, 'limit'],
    [{ cursor: '' }, 'cursor'],
    [{ cursor: 'x' }, 'cursor'],
    [{ cursor: 5 }, 'cursor'],
    [{ cursor: { $gt: '' } }, 'cursor'],
    [{ cursor: [MISSING_ID] }, 'cursor'],
  ])('refuses %j', async (payload, field) => {
    await expectBadField(await connectAs(url, asha), 'call:history', payload, field);
  });
});
