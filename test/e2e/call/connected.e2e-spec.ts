import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  conflict,
  expectNothingForOutsiders,
  ring,
  ringEverywhere,
  ringsAt,
  STATES,
  told,
  WRONG_CALL_IDS,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier, refusal } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { admin } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

/** An accepted call, with two devices of each; `r1` is the one that answered. */
async function answered() {
  const all = await ringEverywhere(url, { asha, ravi });
  await answer(all.r1, all.callId);
  await all.settle();
  return all;
}

describe('call:connected', () => {
  it('of the first party tells the devices of the other one', async () => {
    const { a1, a2, r1, r2, callId, settle } = await answered();
    expect(await a1.ask('call:connected', { callId })).toMatchObject({ callId, status: 'connected' });
    for (const device of [r1, r2])
      expect(await device.waitFor('call:connected')).toEqual({ callId, contactId: asha.id });
    await settle();
    expect([a1, a2, r1, r2].map((client) => client.all('call:connected').length)).toEqual([0, 0, 1, 1]);
    expect(await callOf(r1, callId)).toMatchObject({
      status: 'connected',
      connectedAt: expect.any(String) as string,
    });
  });

  it('may come from the callee first', async () => {
    const { a1, a2, r1, callId, settle } = await answered();
    r1.tell('call:connected', { callId });
    for (const device of [a1, a2])
      expect(await device.waitFor('call:connected')).toEqual({ callId, contactId: ravi.id });
    await settle();
    expect(r1.all('call:connected')).toEqual([]);
  });

  it('of the second party, or again of the first, is acked and changes nothing', async () => {
    const { a1, r1, everybody, callId, settle } = await answered();
    await a1.ask('call:connected', { callId });
    const { connectedAt } = await callOf(a1, callId);
    for (const client of [r1, a1, r1])
      expect(await client.ask('call:connected', { callId })).toMatchObject({ callId, status: 'connected' });
    r1.tell('call:connected', { callId });
    await settle();
    expect((await callOf(a1, callId)).connectedAt).toBe(connectedAt);
    expect(everybody.map((client) => client.all('call:connected').length)).toEqual([0, 0, 1, 1]);
    expect(r1.all('error')).toEqual([]);
  });

  it('of both at the same moment counts once', async () => {
    const { a1, r1, everybody, callId, settle } = await answered();
    const acks = await Promise.all([a1, r1].map((client) => client.ask('call:connected', { callId })));
    expect(acks.map(({ status }) => status)).toEqual(['connected', 'connected']);
    await settle();
    expect(everybody.flatMap((client) => client.all('call:connected'))).toHaveLength(2);
  });

  it('may follow the accept without waiting for its answer', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const accepting = r1.ask('call:accept', { callId });
    const connecting = r1.ask('call:connected', { callId });
    expect((await accepting).status).toBe('accepted');
    expect((await connecting).status).toBe('connected');
    await a1.waitFor('call:connected');
    expect(told(a1, callId)).toEqual(['call:accept', 'call:connected']);
  });

  it('is told to every admin, and may come from any', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId } = await ring(a, admin());
    for (const staff of [one, two]) await ringsAt(staff, callId);
    await answer(one, callId);
    await two.ask('call:connected', { callId });
    expect(await a.waitFor('call:connected')).toEqual({ callId, contactId: 'admin' });
  });

  it.each(STATES.filter((state) => state !== 'accepted' && state !== 'connected'))(
    'of a call that is %s gets CONFLICT and changes nothing',
    async (state) => {
      const [a, r] = await connectAll(url, asha, ravi);
      const callId = await callIn(state, server, [a, r, ravi]);
      const before = [told(a, callId), told(r, callId)];
      for (const client of [a, r])
        expect(await refusal(client, 'call:connected', { callId })).toMatchObject(conflict(callId, state));
      await barrier(a, ravi, a, r);
      expect(await callOf(a, callId)).toMatchObject({ status: state, connectedAt: null });
      expect([told(a, callId), told(r, callId)]).toEqual(before);
    },
  );

  it('tells outsiders the same of a call as of none', async () => {
    const { a1, r1, callId } = await answered();
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a1, r1], 'call:connected', callId);
    expect((await callOf(a1, callId)).status).toBe('accepted');
  });

  it.each(WRONG_CALL_IDS)('refuses %j', async (payload) => {
    await expectBadField(await connectAs(url, ravi), 'call:connected', payload, 'callId');
  });
});
