import type { CallAcceptedPayload } from '../../../src/contract/call.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  conflict,
  endRinging,
  endsAt,
  expectNothingForOutsiders,
  FINAL_STATES,
  ring,
  ringEverywhere,
  ringsAt,
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

describe('call:accept', () => {
  it('gives each party a token of its own for the same channel', async () => {
    const { a1, a2, r1, call, callId } = await ringEverywhere(url, { asha, ravi });
    const accepted = await answer(r1, callId);
    expect(accepted).toEqual({
      callId,
      status: 'accepted',
      agoraToken: expect.any(String) as string,
      agoraAppId: call.agoraAppId,
      channelName: call.channelName,
      uid: 0,
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    const told1 = await a1.waitFor('call:accept');
    expect(told1).toEqual({
      callId,
      contactId: ravi.id,
      agoraToken: expect.any(String) as string,
      agoraAppId: call.agoraAppId,
      channelName: call.channelName,
      uid: 0,
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(await a2.waitFor('call:accept')).toEqual(told1);
    const tokens = [call, await r1.waitFor('call:incoming'), accepted, told1].map(
      (media) => media.agoraToken,
    );
    expect(new Set(tokens).size).toBe(4);
    for (const token of tokens) {
      expect(decodeAgoraToken(token)).toMatchObject({
        channelName: call.channelName,
        privileges: { join: 3600, publishAudio: 3600 },
      });
    }
    expect(await callOf(r1, callId)).toMatchObject({
      status: 'accepted',
      acceptedAt: expect.any(String) as string,
      connectedAt: null,
      endedAt: null,
      endReason: null,
    });
  });

  it('ends the ringing on the callee’s other devices, and tells each device once', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await answer(r1, callId);
    expect(await endsAt(r2, callId)).toEqual({ callId, duration: 0, reason: 'answered_elsewhere' });
    await settle();
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      ['call:accept'],
      ['call:accept'],
      ['call:incoming'],
      ['call:incoming', 'call:end answered_elsewhere'],
    ]);
  });

  it('works without an acknowledgement', async () => {
    const { a1, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    r1.tell('call:accept', { callId });
    await Promise.all([a1.waitFor('call:accept'), endsAt(r2, callId)]);
    await settle();
    expect(r1.all('error')).toEqual([]);
  });

  it('may be sent by any admin, and is answered elsewhere for the others', async () => {
    const [a, one, two, three] = await connectAll(url, asha, admin('one'), admin('two'), admin('three'));
    const { callId } = await ring(a, admin());
    for (const staff of [one, two, three]) await ringsAt(staff, callId);
    await answer(two, callId);
    expect(await a.waitFor('call:accept')).toMatchObject({ callId, contactId: 'admin' });
    for (const staff of [one, three])
      expect(await endsAt(staff, callId)).toEqual({ callId, duration: 0, reason: 'answered_elsewhere' });
    await barrier(a, admin(), one, two, three);
    expect(told(two, callId)).toEqual(['call:incoming']);
    expect(await refusal(one, 'call:accept', { callId })).toMatchObject(conflict(callId, 'accepted'));
  });

  it('is won by one of several devices that answer at the same moment', async () => {
    const [a, ...devices] = await connectAll(url, asha, ravi, ravi, ravi, ravi);
    const { callId } = await ring(a, ravi);
    for (const device of devices) await ringsAt(device, callId);
    const acks = await Promise.all(
      devices.map((device) => device.send<CallAcceptedPayload>('call:accept', { callId })),
    );
    expect(acks.filter(({ ok }) => ok)).toHaveLength(1);
    for (const ack of acks.filter(({ ok }) => !ok))
      expect(ack).toMatchObject({ error: conflict(callId, 'accepted') });
    await barrier(a, ravi, a, ...devices);
    expect(told(a, callId)).toEqual(['call:accept']);
    for (const [index, device] of devices.entries()) {
      if (acks[index]?.ok === true) expect(told(device, callId)).toEqual(['call:incoming']);
      else expect(told(device, callId)).toContain('call:end answered_elsewhere');
    }
  });

  it('of the call is one, however often it is sent: the second gets CONFLICT and changes nothing', async () => {
    const { a1, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await answer(r1, callId);
    await endsAt(r2, callId);
    const before = await callOf(a1, callId);
    expect(await refusal(r2, 'call:accept', { callId })).toMatchObject(conflict(callId, 'accepted'));
    await settle();
    expect(told(r2, callId)).toEqual([
      'call:incoming',
      'call:end answered_elsewhere',
      'call:end accepted',
      'call:end accepted',
    ]);
    expect(told(a1, callId)).toEqual(['call:accept']);
    expect({ ...(await callOf(a1, callId)), duration: 0 }).toEqual({ ...before, duration: 0 });
  });

  it('again on the device that answered gets CONFLICT, and does not end the call there', async () => {
    const { r1, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await answer(r1, callId);
    expect(await refusal(r1, 'call:accept', { callId })).toMatchObject(conflict(callId, 'accepted'));
    await settle();
    expect(told(r1, callId)).toEqual(['call:incoming']);
    await r1.ask('call:end', { callId });
    expect(await refusal(r1, 'call:accept', { callId })).toMatchObject(conflict(callId, 'ended'));
    await r1.waitFor('call:end', ({ reason }) => reason === 'ended');
  });

  it.each(FINAL_STATES)('of a call that is %s gets CONFLICT, and that device a call:end', async (state) => {
    const [a, r, late] = await connectAll(url, asha, ravi, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    const before = [await callOf(a, callId), told(a, callId), told(r, callId)];
    expect(await refusal(late, 'call:accept', { callId })).toMatchObject(conflict(callId, state));
    const { duration } = await callOf(a, callId);
    expect(await late.waitFor('call:end', ({ reason }) => reason === state)).toEqual({
      callId,
      duration,
      reason: state,
    });
    await barrier(a, ravi, a, r, late);
    expect([await callOf(a, callId), told(a, callId), told(r, callId)]).toEqual(before);
  });

  it('after the end of the ringing is a miss, also before anybody has attended to the deadline', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await endRinging(server, callId);
    const ack = await r1.send('call:accept', { callId });
    expect(ack).toMatchObject({ ok: false, error: conflict(callId, 'missed') });
    await settle();
    expect([a1, a2, r2].map((client) => told(client, callId))).toEqual([
      ['call:end missed'],
      ['call:end missed'],
      ['call:incoming', 'call:end missed'],
    ]);
    expect(told(r1, callId).slice(0, 2)).toEqual(['call:incoming', 'call:end missed']);
    expect(await callOf(a1, callId)).toMatchObject({ status: 'missed', acceptedAt: null });
  });

  it('is forbidden to the caller', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    for (const device of [a1, a2])
      expect((await refusal(device, 'call:accept', { callId })).code).toBe('FORBIDDEN');
    await settle();
    expect((await callOf(r1, callId)).status).toBe('ringing');
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      [],
      [],
      ['call:incoming'],
      ['call:incoming'],
    ]);
  });

  it('tells outsiders the same of a call as of none', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a1, r1], 'call:accept', callId);
    expect((await callOf(a1, callId)).status).toBe('ringing');
  });

  it.each(WRONG_CALL_IDS)('refuses %j', async (payload) => {
    await expectBadField(await connectAs(url, ravi), 'call:accept', payload, 'callId');
  });
});
