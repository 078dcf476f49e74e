import { AgoraTokenService } from '../../../src/agora/agora-token.service.js';
import type { CallMedia, CallTokenPayload } from '../../../src/contract/call.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  callTo,
  conflict,
  endsAt,
  expire,
  FINAL_STATES,
  prolong,
  ring,
  ringEverywhere,
  ringsAt,
  told,
  withCallTimes,
} from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier, refusal } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { withPresenceTimes } from '../../support/presence.js';
import { expectBadField } from '../../support/refusals.js';
import { admin, astrologer } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  const times = withCallTimes({ lookIntervalMs: 20, callerReturnMs: 500, partyReturnMs: 500 });
  server = await startApp({}, [], [times, withPresenceTimes({ offlineDelayMs: 50 })]);
  ({ url } = server);
});

describe('faults of the former backend: calls', () => {
  it('Nobody checked who accepts, rejects or ends', async () => {
    const { a1, r1, callId, settle } = await ringEverywhere(url, { asha, ravi });
    const strangers = await connectAll(url, mallory, astrologer(asha.id), admin('boss'));
    const events = ['call:accept', 'call:reject', 'call:connected', 'call:end', 'call'];
    for (const stranger of strangers) {
      for (const event of events)
        expect((await refusal(stranger, event, { callId, reason: 'mine' })).code).toBe('NOT_FOUND');
    }
    for (const event of ['call:accept', 'call:reject'])
      expect((await refusal(a1, event, { callId })).code).toBe('FORBIDDEN');
    await settle();
    expect([told(a1, callId), told(r1, callId)]).toEqual([[], ['call:incoming']]);
    expect((await callOf(r1, callId)).status).toBe('ringing');
  });

  it('`call:token` minted a publisher token for any channel', async () => {
    const { a1, callId, call } = await ringEverywhere(url, { asha, ravi });
    const m = await connectAs(url, mallory);
    const { channelName } = call;
    expect((await refusal(m, 'call:token', { callId, channelName })).code).toBe('NOT_FOUND');
    await expectBadField(m, 'call:token', { channelName }, 'callId');
    await expectBadField(a1, 'call:token', { callId, channelName: 'another' }, 'channelName');
    expect([m.all('call:token').length, a1.all('call:token').length]).toEqual([0, 1]);
  });

  it('No state guards: accept after missed, end over rejected', async () => {
    for (const state of FINAL_STATES) {
      const pair = newPair();
      const [a, r] = await connectAll(url, pair.asha, pair.ravi);
      const callId = await callIn(state, server, [a, r, pair.ravi]);
      const before = await callOf(a, callId);
      for (const event of ['call:accept', 'call:reject', 'call:connected', 'call:end', 'call:token'])
        expect(await refusal(r, event, { callId })).toMatchObject(conflict(callId, state));
      for (const event of ['call:connected', 'call:end', 'call:token'])
        expect(await refusal(a, event, { callId })).toMatchObject(conflict(callId, state));
      expect(await callOf(a, callId)).toEqual(before);
    }
  });

  describe('The 60 s timer lived in memory', () => {
    it('lost on restart', async () => {
      const first = await startApp({ CALL_RING_TIMEOUT_SECONDS: '1' });
      const { callId } = await ring(await connectAs(first.url, asha), ravi);
      await first.app.close();
      const second = await startApp({ MONGODB_URI: first.mongoUri });
      const a = await connectAs(second.url, asha);
      await endsAt(a, callId);
      expect(await callOf(a, callId)).toMatchObject({ status: 'missed', endReason: 'missed' });
    });

    it('raced with accept', async () => {
      for (let i = 0; i < 20; i += 1) {
        const pair = newPair();
        const [a, r] = await connectAll(url, pair.asha, pair.ravi);
        const { callId } = await ring(a, pair.ravi);
        await ringsAt(r, callId);
        // Both at once, or the accept in the time until the server looks.
        const expiring = expire(server, callId);
        if (i % 2 === 0) await expiring;
        const [ack] = await Promise.all([r.send('call:accept', { callId }), expiring]);
        const { status } = await callOf(a, callId);
        expect([ack.ok, status]).toEqual(ack.ok ? [true, 'accepted'] : [false, 'missed']);
        await barrier(a, pair.ravi, a, r);
        expect(told(a, callId)).toEqual([ack.ok ? 'call:accept' : 'call:end missed']);
        for (const client of [a, r]) client.close();
      }
    });

    it('told only the caller’s old socket, so the other phone rang on', async () => {
      const { a1, a2, r1, r2, callId } = await ringEverywhere(url, { asha, ravi });
      a1.close();
      const fresh = await connectAs(url, asha);
      await expire(server, callId);
      for (const client of [a2, fresh, r1, r2])
        expect(await endsAt(client, callId)).toEqual({ callId, duration: 0, reason: 'missed' });
    });
  });

  it('No call log for missed', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('missed', server, [a, r, ravi]);
    for (const client of [a, r]) {
      const log = await client.waitFor('dm:message_received', (message) => message.callId === callId);
      expect(log).toMatchObject({
        conversationId,
        seq: 1,
        messageType: 'call_log',
        content: 'Voice call missed',
        callStatus: 'missed',
        callDuration: 0,
      });
    }
  });

  it('The client’s duration was stored', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    await prolong(server, callId, 60);
    const { duration } = await a.ask<{ duration: number }>('call:end', { callId, duration: 9999 });
    expect(duration).toBeGreaterThanOrEqual(60);
    expect(duration).toBeLessThan(120);
    expect((await endsAt(r, callId)).duration).toBe(duration);
    expect((await callOf(r, callId)).duration).toBe(duration);
    const log = await r.waitFor('dm:message_received', (message) => message.callId === callId);
    expect(log.callDuration).toBe(duration);
  });

  it('Calls to an admin rang in a room that nobody was in', async () => {
    const [a, one, two] = await connectAll(url, asha, admin(), admin('by-name'));
    for (const id of ['admin', 'by-name', 'somebody-else']) {
      const { callId, recipientOnline } = await ring(a, admin(id));
      expect(recipientOnline).toBe(true);
      for (const staff of [one, two]) await ringsAt(staff, callId);
      await a.ask('call:end', { callId });
    }
  });

  it('Channel names over 64 bytes', async () => {
    const longest = { id: 'u'.repeat(64), type: 'user' } as const;
    const other = { id: 'ज'.repeat(64), type: 'astrologer' } as const;
    const [a] = await connectAll(url, longest, other);
    const { channelName, callId } = await ring(a, other);
    expect(Buffer.byteLength(channelName)).toBeLessThan(64);
    await a.ask('call:end', { callId });
    for (const name of ['c'.repeat(64), 'c'.repeat(65), 'ज'.repeat(30)])
      await expectBadField(a, 'call:initiate', callTo(other, { channelName: name }), 'channelName');
  });

  it('No busy', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    await callIn('connected', server, [a, r, ravi]);
    expect(await m.send('call:initiate', callTo(ravi))).toMatchObject({ error: { code: 'BUSY' } });
    expect(await m.waitFor('call:reject')).toMatchObject({ reason: 'busy' });
    await barrier(a, ravi, r);
    expect(r.all('call:incoming')).toHaveLength(1);
  });

  it('no glare', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    expect(await r.send('call:initiate', callTo(asha))).toMatchObject({ error: conflict(callId, 'ringing') });
    await answer(r, callId);
    await a.waitFor('call:accept');
    expect(a.all('call:incoming')).toEqual([]);
  });

  it('no stop on other devices', async () => {
    const accepted = await ringEverywhere(url, { asha, ravi });
    await answer(accepted.r1, accepted.callId);
    expect(await endsAt(accepted.r2, accepted.callId)).toMatchObject({ reason: 'answered_elsewhere' });
    const rejected = await ringEverywhere(url, newPair());
    await rejected.r1.ask('call:reject', { callId: rejected.callId });
    expect(await endsAt(rejected.r2, rejected.callId)).toMatchObject({ reason: 'declined_elsewhere' });
  });

  it('nothing on disconnect', async () => {
    const [ringing, answered] = [newPair(), newPair()];
    const [a, r] = await connectAll(url, ringing.asha, ringing.ravi);
    const cancelled = await callIn('ringing', server, [a, r, ringing.ravi]);
    const [b, s] = await connectAll(url, answered.asha, answered.ravi);
    const ended = await callIn('connected', server, [b, s, answered.ravi]);
    a.close();
    s.close();
    expect(await endsAt(r, cancelled)).toMatchObject({ reason: 'cancelled' });
    expect(await endsAt(b, ended)).toMatchObject({ reason: 'network_error' });
  });

  it('Reject and end did not reach the peer (fixed four times)', async () => {
    const rejected = await ringEverywhere(url, { asha, ravi });
    rejected.r1.tell('call:reject', { callId: rejected.callId });
    for (const device of [rejected.a1, rejected.a2]) await device.waitFor('call:reject');
    for (const ends of ['caller', 'callee'] as const) {
      const { a1, a2, r1, r2, callId } = await ringEverywhere(url, newPair());
      await answer(r1, callId);
      const [sender, peers] = ends === 'caller' ? [a1, [r1, r2]] : [r1, [a1, a2]];
      sender.tell('call:end', { callId });
      for (const peer of peers) await peer.waitFor('call:end', ({ reason }) => reason === 'ended');
    }
  });
});

describe('faults of the former backend: Agora', () => {
  it('Absolute timestamps passed where seconds from now are meant: tokens valid until 2083', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const call = await ring(a, ravi);
    const media: CallMedia[] = [call, await ringsAt(r, call.callId), await answer(r, call.callId)];
    media.push(await a.ask<CallTokenPayload>('call:token', { callId: call.callId }));
    for (const { agoraToken } of media) {
      const { issuedAt, expireSeconds, privileges } = decodeAgoraToken(agoraToken);
      expect([expireSeconds, ...Object.values(privileges)]).toEqual([3600, 3600, 3600, 3600, 3600]);
      expect(Math.abs(issuedAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
  });

  it('“Subscriber” tokens that can publish', () => {
    const tokens = server.app.get(AgoraTokenService, { strict: false });
    const { privileges } = decodeAgoraToken(tokens.subscriberToken('live-1').agoraToken);
    expect(privileges).toStrictEqual({ join: 3600 });
  });

  it('Refresh refused to the broadcaster always', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    for (const state of ['ringing', 'accepted', 'connected'] as const) {
      const callId = await callIn(state, server, [a, r, ravi]);
      for (const client of [a, r]) {
        const { agoraToken } = await client.ask<CallTokenPayload>('call:token', { callId });
        expect(decodeAgoraToken(agoraToken).privileges).toHaveProperty('publishAudio', 3600);
      }
      await a.ask('call:end', { callId });
    }
  });
});
