import type { CallTokenPayload } from '../../../src/contract/call.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  conflict,
  endRinging,
  expectNothingForOutsiders,
  FINAL_STATES,
  ring,
  ringEverywhere,
  told,
  WRONG_CALL_IDS,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { admin } from '../../support/token.js';

const HOUR = 3600;

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

describe('call:token', () => {
  it.each(['ringing', 'accepted', 'connected'] as const)(
    'gives both parties a fresh token of a call that is %s, for its own channel',
    async (state) => {
      const [a, r] = await connectAll(url, asha, ravi);
      const callId = await callIn(state, server, [a, r, ravi]);
      const { channelName, agoraAppId } = await a.waitFor('call:token');
      for (const client of [a, r]) {
        const before = client.all('call:token').length;
        const token = await client.ask<CallTokenPayload>('call:token', { callId });
        expect(token).toEqual({
          callId,
          agoraToken: expect.any(String) as string,
          agoraAppId,
          channelName,
          uid: 0,
          expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        });
        expect((await client.waitForCount('call:token', before + 1))[before]).toEqual(token);
        const { expireSeconds, issuedAt, ...decoded } = decodeAgoraToken(token.agoraToken);
        expect(decoded).toEqual({
          appId: agoraAppId,
          channelName,
          uid: 0,
          privileges: { join: HOUR, publishAudio: HOUR, publishVideo: HOUR, publishData: HOUR },
        });
        expect(Date.parse(token.expiresAt)).toBeLessThanOrEqual(issuedAt.getTime() + expireSeconds * 1000);
      }
    },
  );

  it('comes to the socket that asked alone, each time anew, without an acknowledgement, too', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    r1.tell('call:token', { callId });
    r1.tell('call:token', { callId });
    const [first, second] = await r1.waitForCount('call:token', 2);
    expect(second?.agoraToken).not.toBe(first?.agoraToken);
    await settle();
    expect([a1, a2, r1, r2].map((client) => client.all('call:token').length)).toEqual([1, 0, 2, 0]);
    expect([a1, a2].map((client) => told(client, callId))).toEqual([[], []]);
  });

  it('of several devices of both and at the same moment is given to each', async () => {
    const { r1, everybody, callId } = await ringEverywhere(url, { asha, ravi });
    await answer(r1, callId);
    const tokens = await Promise.all(
      [...everybody, ...everybody].map((client) => client.ask<CallTokenPayload>('call:token', { callId })),
    );
    expect(new Set(tokens.map(({ agoraToken }) => agoraToken)).size).toBe(tokens.length);
  });

  it('is given to any admin', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId, channelName } = await ring(a, admin());
    await answer(one, callId);
    expect(await two.ask('call:token', { callId })).toMatchObject({ callId, channelName });
  });

  it('takes the call’s own channelName, and refuses another', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const { channelName } = await a.waitFor('call:token');
    expect(await a.ask('call:token', { callId, channelName })).toMatchObject({ channelName });
    expect(await a.ask('call:token', { callId, channelName: null })).toMatchObject({ channelName });
    const others = await ring(m, { ...ravi, id: `other-${ravi.id}` });
    for (const wrong of [others.channelName, 'made up', '*'])
      await expectBadField(a, 'call:token', { callId, channelName: wrong }, 'channelName');
    expect(a.all('call:token')).toHaveLength(3);
  });

  it.each(FINAL_STATES)('of a call that is %s gets CONFLICT', async (state) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    for (const client of [a, r])
      expect(await refusal(client, 'call:token', { callId })).toMatchObject(conflict(callId, state));
    expect([a, r].map((client) => client.all('call:token').length)).toEqual([1, 0]);
  });

  it('after the end of the ringing gets CONFLICT, whether or not anybody has attended to it', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    await endRinging(server, callId);
    for (const client of [a1, r1])
      expect(await refusal(client, 'call:token', { callId })).toMatchObject(conflict(callId, 'missed'));
  });

  it('tells outsiders the same of a call as of none', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a, r], 'call:token', callId);
  });

  it('asks an outsider nothing about the channel, so that its name can be tried by nobody', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const { channelName } = await a.waitFor('call:token');
    const right = await refusal(m, 'call:token', { callId, channelName });
    expect(await refusal(m, 'call:token', { callId, channelName: 'wrong' })).toEqual(right);
    expect(right.code).toBe('NOT_FOUND');
  });

  it.each(WRONG_CALL_IDS)('refuses %j', async (payload) => {
    await expectBadField(await connectAs(url, asha), 'call:token', payload, 'callId');
  });

  it.each(['', 'x'.repeat(129), 42, { $ne: null }, ['x']])(
    'refuses the channelName %j',
    async (channelName) => {
      const a = await connectAs(url, asha);
      await expectBadField(a, 'call:token', { callId: MISSING_ID, channelName }, 'channelName');
    },
  );
});
