import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  expectNothingForOutsiders,
  ring,
  ringEverywhere,
  STATES,
  WRONG_CALL_IDS,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { admin, user } from '../../support/token.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

/** What a call has in each state beyond what it has in all. */
const IN_STATE = {
  ringing: {},
  accepted: { acceptedAt: TIME },
  connected: { acceptedAt: TIME, connectedAt: TIME },
  ended: { acceptedAt: TIME, endedAt: TIME, endReason: 'ended' },
  rejected: { endedAt: TIME, endReason: 'declined' },
  cancelled: { endedAt: TIME, endReason: 'cancelled' },
  missed: { endedAt: TIME, endReason: 'missed' },
};

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

describe('call:state', () => {
  it.each(STATES)('shows both parties the same call when it is %s', async (state) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    const { channelName } = await a.waitFor('call:token');
    const expected = {
      callId,
      status: state,
      duration: expect.any(Number) as number,
      callerId: asha.id,
      callerType: 'user',
      callerName: `Name of ${asha.id}`,
      callerAvatar: '',
      recipientId: ravi.id,
      recipientType: 'astrologer',
      callType: 'voice',
      channelName,
      startedAt: TIME,
      ringExpiresAt: TIME,
      acceptedAt: null,
      connectedAt: null,
      endedAt: null,
      endReason: null,
      ...IN_STATE[state],
    };
    for (const client of [a, r])
      expect(await client.ask('call:state', { callId })).toEqual({ call: expected });
  });

  it.each(['ringing', 'accepted', 'connected'] as const)(
    'without an id shows the call in which one is when it is %s, on every device',
    async (state) => {
      const { a1, a2, r1, r2, callId } = await ringEverywhere(url, { asha, ravi });
      if (state !== 'ringing') await answer(r1, callId);
      if (state === 'connected') await r1.ask('call:connected', { callId });
      for (const client of [a1, a2, r1, r2]) {
        for (const payload of [{}, { callId: null }])
          expect(await client.ask('call:state', payload)).toMatchObject({ call: { callId, status: state } });
      }
    },
  );

  it.each(['ended', 'rejected', 'cancelled', 'missed'] as const)(
    'without an id shows none when it is %s',
    async (state) => {
      const [a, r] = await connectAll(url, asha, ravi);
      await callIn(state, server, [a, r, ravi]);
      for (const client of [a, r]) expect(await client.ask('call:state', {})).toEqual({ call: null });
    },
  );

  it('may be asked without a payload, by one who never was in a call', async () => {
    const m = await connectAs(url, mallory);
    expect(await m.ask('call:state')).toEqual({ call: null });
  });

  it('counts the talk so far', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const { duration } = await callOf(a, callId);
    expect(Number.isInteger(duration)).toBe(true);
    expect(duration).toBeGreaterThanOrEqual(0);
    expect(duration).toBeLessThan(60);
  });

  it('shows every admin the newest open call of all admins', async () => {
    const [a, other, one, two] = await connectAll(url, asha, mallory, admin('one'), admin('two'));
    const first = await ring(a, admin());
    const second = await ring(other, admin());
    for (const staff of [one, two])
      expect(await staff.ask('call:state', {})).toMatchObject({ call: { callId: second.callId } });
    await other.ask('call:end', { callId: second.callId });
    expect(await two.ask('call:state', {})).toMatchObject({ call: { callId: first.callId } });
    await a.ask('call:end', { callId: first.callId });
    expect(await one.ask('call:state', {})).toEqual({ call: null });
  });

  it('without an id shows nothing of a namesake’s call', async () => {
    const { callId } = await ringEverywhere(url, { asha, ravi });
    const namesake = await connectAs(url, user(ravi.id));
    expect(callId).toBeDefined();
    expect(await namesake.ask('call:state', {})).toEqual({ call: null });
  });

  it('tells outsiders the same of a call as of none', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a1, r1], 'call:state', callId);
  });

  it.each(WRONG_CALL_IDS.filter(({ callId }) => callId !== undefined && callId !== null))(
    'refuses %j',
    async (payload) => {
      await expectBadField(await connectAs(url, ravi), 'call:state', payload, 'callId');
    },
  );
});
