import { CallRepository } from '../../../src/call/call.repository.js';
import type { CallMedia, CallStatePayload } from '../../../src/contract/call.js';
import { decodeAgoraToken, isSignedWith } from '../../support/agora.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import {
  AGORA,
  arrivalsBarrier,
  callOf,
  callTo,
  endsAt,
  ring,
  ringEverywhere,
  ringsAt,
  told,
} from '../../support/calls.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier, refusal } from '../../support/direct-chat.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { Signal } from '../../support/signal.js';
import { admin, astrologer, user } from '../../support/token.js';

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const HOUR = 3600;

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp(AGORA);
  ({ url } = server);
});

/** Fails unless one who has it may join this channel, speak there and be seen, for an hour. */
function expectPublisher({ agoraToken, agoraAppId, channelName, uid }: CallMedia): void {
  expect([agoraAppId, uid]).toEqual([AGORA.AGORA_APP_ID, 0]);
  expect(isSignedWith(agoraToken, AGORA.AGORA_APP_CERTIFICATE)).toBe(true);
  expect(decodeAgoraToken(agoraToken)).toMatchObject({
    appId: agoraAppId,
    channelName,
    uid: 0,
    expireSeconds: HOUR,
    privileges: { join: HOUR, publishAudio: HOUR, publishVideo: HOUR, publishData: HOUR },
  });
}

describe('call:initiate', () => {
  it('gives the caller its token, in call:token and in the ack', async () => {
    const [a] = await connectAll(url, asha, ravi);
    const { status, ringTimeoutMs, recipientOnline, ...token } = await ring(a, ravi);
    expect(Object.keys(token).toSorted()).toEqual(
      ['callId', 'agoraToken', 'agoraAppId', 'channelName', 'uid', 'expiresAt'].toSorted(),
    );
    expect(await a.waitFor('call:token')).toEqual(token);
    expect([status, recipientOnline]).toEqual(['ringing', true]);
    expect(ringTimeoutMs).toBeGreaterThan(50_000);
    expect(ringTimeoutMs).toBeLessThanOrEqual(60_000);
    expectPublisher(token);
    const { issuedAt, expireSeconds } = decodeAgoraToken(token.agoraToken);
    expect(Date.parse(token.expiresAt)).toBeLessThanOrEqual(issuedAt.getTime() + expireSeconds * 1000);
  });

  it('rings at every device of the callee, with a token of its own, and at no other of the caller', async () => {
    const caller = { ...asha, name: 'Asha', avatar: 'https://a.example/a.jpg' };
    const { a1, a2, r1, r2, call, callId, settle } = await ringEverywhere(url, { asha: caller, ravi });
    const incoming = await r1.waitFor('call:incoming');
    expect(incoming).toEqual({
      callId,
      callerId: asha.id,
      callerName: 'Asha',
      callerType: 'user',
      callerAvatar: 'https://a.example/a.jpg',
      callType: 'voice',
      agoraToken: expect.any(String) as string,
      agoraAppId: AGORA.AGORA_APP_ID,
      channelName: call.channelName,
      uid: 0,
      expiresAt: ISO,
    });
    expectPublisher(incoming);
    expect(incoming.agoraToken).not.toBe(call.agoraToken);
    expect((await callOf(r2, callId)).ringExpiresAt).toBe(incoming.expiresAt);
    await settle();
    expect(r2.all('call:incoming')).toEqual([incoming]);
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      [],
      [],
      ['call:incoming'],
      ['call:incoming'],
    ]);
    expect([a1, a2, r1, r2].map((client) => client.all('call:token').length)).toEqual([1, 0, 0, 0]);
  });

  it('carries one argument with every event, without the app asking for an acknowledgement', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    a.tell('call:initiate', callTo(ravi));
    await Promise.all([a.waitFor('call:token'), r.waitFor('call:incoming')]);
    const calls = [...a.received, ...r.received].filter(({ event }) => event.startsWith('call:'));
    expect(calls.map(({ args }) => args.length)).toEqual([1, 1]);
  });

  it('makes video calls, too', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi, { callType: 'video' });
    expect(await ringsAt(r, callId)).toMatchObject({ callType: 'video' });
    expect(await callOf(a, callId)).toMatchObject({ callType: 'video', status: 'ringing' });
  });

  it('rings in the room of the callee’s own type, and nowhere else', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const [namesake, staff, own] = await connectAll(url, user(ravi.id), admin(ravi.id), astrologer(asha.id));
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    await barrier(r, user(ravi.id), namesake);
    await barrier(a, admin(), staff);
    await barrier(a, astrologer(asha.id), own);
    for (const client of [namesake, staff, own]) expect(told(client, callId)).toEqual([]);
  });

  it('rings at every admin, for a call to the shared admin or to one by name', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    for (const id of ['admin', 'one']) {
      const { callId } = await ring(a, admin(id));
      for (const staff of [one, two])
        expect(await ringsAt(staff, callId)).toMatchObject({ callerId: asha.id });
      expect(await callOf(two, callId)).toMatchObject({ recipientId: 'admin', recipientType: 'admin' });
      await a.ask('call:end', { callId });
    }
  });

  it('may be made by an admin, whom the callee sees as the shared one', async () => {
    const [boss, a] = await connectAll(url, admin('boss'), asha);
    const { callId } = await ring(boss, asha);
    expect(await ringsAt(a, callId)).toMatchObject({
      callerId: 'admin',
      callerType: 'admin',
      callerName: 'Name of boss',
    });
  });

  it('rings although nobody is there, and says so', async () => {
    const a = await connectAs(url, asha);
    expect(await ring(a, ravi)).toMatchObject({ status: 'ringing', recipientOnline: false });
  });

  it('takes the caller from the socket, whatever the payload says', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi, {
      callId: 'mine',
      callerId: mallory.id,
      callerName: 'Somebody else',
      callerType: 'admin',
      userId: mallory.id,
      status: 'connected',
    });
    expect(await ringsAt(r, callId)).toMatchObject({ callerId: asha.id, callerType: 'user' });
    expect(await callOf(a, callId)).toMatchObject({ callerId: asha.id, status: 'ringing' });
  });

  it('stores no token', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const accepted = await r1.ask<CallMedia>('call:accept', { callId });
    const tokens: CallMedia[] = [accepted];
    for (const event of ['call:token', 'call:incoming', 'call:accept'] as const)
      for (const client of [a1, r1]) tokens.push(...client.all(event));
    expect(tokens).toHaveLength(4);
    const stored = JSON.stringify(await collectionOf(server, 'calls').find().toArray());
    for (const { agoraToken } of tokens) expect(stored).not.toContain(agoraToken);
    expect(stored).toContain(callId);
  });

  it('takes a call back that was stored too late for its caller to learn of it', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    await arrivalsBarrier(url);
    const repository = server.app.get(CallRepository, { strict: false });
    const insert = repository.insert.bind(repository);
    closeAfterTest(() => {
      repository.insert = insert;
    });
    const refused = new Signal();
    repository.insert = async (call) => {
      repository.insert = insert;
      const obstacle = await insert(call);
      await refused.given;
      return obstacle;
    };
    expect(await a.send('call:initiate', callTo(ravi))).toMatchObject({
      ok: false,
      error: { code: 'UNAVAILABLE', retryable: true },
    });
    const stored = await a.ask<CallStatePayload>('call:state', {});
    expect(stored.call?.status).toBe('ringing');
    refused.give();
    await endsAt(a, stored.call?.callId ?? '');
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    expect(r.all('call:incoming')).toHaveLength(1);
    expect(await callOf(a, stored.call?.callId ?? '')).toMatchObject({ status: 'failed' });
  });

  describe('refuses', () => {
    it('pairs that may not talk to each other, and oneself', async () => {
      const [a, r, boss] = await connectAll(url, asha, ravi, admin('boss'));
      const [m, other] = await connectAll(url, mallory, astrologer(`other-${ravi.id}`));
      for (const [caller, callee] of [
        [a, mallory],
        [a, asha],
        [r, astrologer(`other-${ravi.id}`)],
        [r, ravi],
        [boss, admin()],
        [boss, admin('else')],
      ] as const) {
        expect((await refusal(caller, 'call:initiate', callTo(callee))).code).toBe('FORBIDDEN');
      }
      await barrier(r, mallory, m);
      await barrier(a, astrologer(`other-${ravi.id}`), other);
      for (const client of [a, r, m, other, boss]) expect(client.all('call:incoming')).toEqual([]);
    });

    it('a caller whom the callee has blocked, and lets the one who blocked call', async () => {
      const [a, r] = await connectAll(url, asha, ravi);
      await r.ask('dm:block', { userId: asha.id, userType: asha.type });
      expect((await refusal(a, 'call:initiate', callTo(ravi))).code).toBe('FORBIDDEN');
      const { callId } = await ring(r, asha);
      await ringsAt(a, callId);
      await barrier(r, asha, a, r);
      expect(r.all('call:incoming')).toEqual([]);
      expect(a.all('call:token')).toEqual([]);
    });

    it.each([
      [{ recipientId: undefined }, 'recipientId'],
      [{ recipientId: '' }, 'recipientId'],
      [{ recipientId: 'a b' }, 'recipientId'],
      [{ recipientId: 'x'.repeat(65) }, 'recipientId'],
      [{ recipientId: 42 }, 'recipientId'],
      [{ recipientId: { $ne: null } }, 'recipientId'],
      [{ recipientId: ['ravi'] }, 'recipientId'],
      [{ recipientType: undefined }, 'recipientType'],
      [{ recipientType: 'nobody' }, 'recipientType'],
      [{ recipientType: ['user'] }, 'recipientType'],
      [{ callType: undefined }, 'callType'],
      [{ callType: 'fax' }, 'callType'],
      [{ callType: { voice: true } }, 'callType'],
    ])('%j', async (wrong, field) => {
      const a = await connectAs(url, asha);
      await expectBadField(a, 'call:initiate', callTo(ravi, wrong), field);
      expect(a.all('call:token')).toEqual([]);
    });

    it('all calls in production without credentials, and makes tokens of no application in development', async () => {
      const bare = await startApp({ NODE_ENV: 'production' });
      const a = await connectAs(bare.url, asha);
      expect(await refusal(a, 'call:initiate', callTo(ravi))).toMatchObject({ code: 'AGORA_NOT_CONFIGURED' });
      expect(await collectionOf(bare, 'calls').countDocuments()).toBe(0);
      const development = await connectAs((await startApp()).url, asha);
      const { agoraAppId, agoraToken } = await ring(development, ravi);
      expect([agoraAppId, decodeAgoraToken(agoraToken).appId]).toEqual(['0'.repeat(32), '0'.repeat(32)]);
    });
  });
});
