import { CallRepository } from '../../../src/call/call.repository.js';
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
  prolong,
  ring,
  ringEverywhere,
  ringsAt,
  told,
  WRONG_CALL_IDS,
} from '../../support/calls.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier, MISSING_ID, refusal } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { Signal } from '../../support/signal.js';
import { admin } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

describe('call:end of a call that rings', () => {
  it('by the caller is a cancel, which ends it on all other devices of both', async () => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    expect(await a1.ask('call:end', { callId, duration: 99 })).toEqual({
      callId,
      status: 'cancelled',
      duration: 0,
    });
    for (const device of [a2, r1, r2])
      expect(await endsAt(device, callId)).toEqual({ callId, duration: 0, reason: 'cancelled' });
    await settle();
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      [],
      ['call:end cancelled'],
      ['call:incoming', 'call:end cancelled'],
      ['call:incoming', 'call:end cancelled'],
    ]);
    expect(await callOf(r1, callId)).toMatchObject({
      status: 'cancelled',
      endReason: 'cancelled',
      duration: 0,
    });
  });

  it('may come from another device of the caller', async () => {
    const { a1, a2, r1, callId } = await ringEverywhere(url, { asha, ravi });
    a2.tell('call:end', { callId, reason: 'changed my mind' });
    for (const device of [a1, r1])
      expect(await endsAt(device, callId)).toEqual({ callId, duration: 0, reason: 'changed my mind' });
  });

  it.each([
    [undefined, 'declined'],
    ['not now', 'not now'],
  ])('by the callee, for the reason %j, is a reject', async (reason, expected) => {
    const { a1, a2, r1, r2, callId, settle } = await ringEverywhere(url, { asha, ravi });
    expect(await r1.ask('call:end', { callId, reason })).toEqual({ callId, status: 'rejected', duration: 0 });
    await settle();
    expect([a1, a2, r1, r2].map((client) => told(client, callId))).toEqual([
      [`call:reject ${expected}`],
      [`call:reject ${expected}`],
      ['call:incoming'],
      ['call:incoming', 'call:end declined_elsewhere'],
    ]);
  });

  it('after the end of the ringing is a miss, whoever comes first', async () => {
    const { a1, r1, callId, settle } = await ringEverywhere(url, { asha, ravi });
    await endRinging(server, callId);
    expect(await refusal(a1, 'call:end', { callId })).toMatchObject(conflict(callId, 'missed'));
    await settle();
    expect([told(a1, callId), told(r1, callId)]).toEqual([
      ['call:end missed'],
      ['call:incoming', 'call:end missed'],
    ]);
  });
});

describe('call:end of an answered call', () => {
  it.each(['the caller', 'the callee', 'another device of the callee'])('may be sent by %s', async (who) => {
    const all = await ringEverywhere(url, { asha, ravi });
    const { a1, r1, r2, everybody, callId, settle } = all;
    await answer(r1, callId);
    await settle();
    const sender = { 'the caller': a1, 'the callee': r1 }[who] ?? r2;
    const before = everybody.map((client) => told(client, callId));
    expect(await sender.ask('call:end', { callId })).toEqual({
      callId,
      status: 'ended',
      duration: expect.any(Number) as number,
    });
    await settle();
    for (const [index, client] of everybody.entries()) {
      const expected = client === sender ? [] : ['call:end ended'];
      expect(told(client, callId)).toEqual([...(before[index] ?? []), ...expected]);
    }
    expect(await callOf(a1, callId)).toMatchObject({ status: 'ended', endReason: 'ended' });
  });

  it.each([
    ['connected', 125],
    ['accepted', 61],
  ] as const)('tells the server’s own duration since it was %s, in whole seconds', async (state, seconds) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    await prolong(server, callId, seconds);
    const { duration } = await a.ask<{ duration: number }>('call:end', { callId, duration: 7 });
    expect(Number.isInteger(duration)).toBe(true);
    expect(duration).toBeGreaterThanOrEqual(seconds);
    expect(duration).toBeLessThan(seconds + 30);
    expect(await endsAt(r, callId)).toEqual({ callId, duration, reason: 'ended' });
    expect((await callOf(r, callId)).duration).toBe(duration);
  });

  it('counts from connected, not from the answer, when somebody said so', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('accepted', server, [a, r, ravi]);
    await prolong(server, callId, 3600);
    await r.ask('call:connected', { callId });
    const { duration } = await a.ask<{ duration: number }>('call:end', { callId, duration: 7200 });
    expect(duration).toBeLessThan(30);
  });

  it('carries the reason of whoever ended it', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    r.tell('call:end', { callId, reason: 'battery', duration: 'long' });
    expect(await endsAt(a, callId)).toMatchObject({ reason: 'battery' });
    expect((await callOf(a, callId)).endReason).toBe('battery');
  });

  it('leaves both free for the next call', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    await a.ask('call:end', { callId });
    expect((await ring(r, asha)).status).toBe('ringing');
  });

  it('may be sent by any admin', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId } = await ring(a, admin());
    for (const staff of [one, two]) await ringsAt(staff, callId);
    await answer(one, callId);
    await endsAt(two, callId);
    await two.ask('call:end', { callId });
    for (const client of [a, one])
      await client.waitFor('call:end', (end) => end.callId === callId && end.reason === 'ended');
  });

  it('gets CONFLICT when it came in before its sender was told of the accept: it was a cancel', async () => {
    const { a1, r1, callId, settle } = await ringEverywhere(url, { asha, ravi });
    const repository = server.app.get(CallRepository, { strict: false });
    const transit = repository.transit.bind(repository);
    closeAfterTest(() => {
      repository.transit = transit;
    });
    const [underWay, hold] = [new Signal(), new Signal()];
    repository.transit = async (...change) => {
      underWay.give();
      await hold.given;
      return transit(...change);
    };
    const accepting = r1.ask('call:accept', { callId });
    await underWay.given;
    const cancelling = a1.send('call:end', { callId });
    // What a socket sends is taken in the order in which it comes: the cancel is in the server by now.
    await a1.ask('get_stats');
    hold.give();
    await accepting;
    expect(await cancelling).toMatchObject({ ok: false, error: conflict(callId, 'accepted') });
    await settle();
    expect([told(a1, callId), told(r1, callId)]).toEqual([['call:accept'], ['call:incoming']]);
    expect(await a1.ask('call:end', { callId })).toMatchObject({ status: 'ended' });
  });

  it('may follow the accept of the same device without waiting for its answer', async () => {
    const { a1, r1, callId } = await ringEverywhere(url, { asha, ravi });
    const [accept, end] = [r1.ask('call:accept', { callId }), r1.ask('call:end', { callId })];
    expect([(await accept).status, (await end).status]).toEqual(['accepted', 'ended']);
    await endsAt(a1, callId);
    expect(told(a1, callId)).toEqual(['call:accept', 'call:end ended']);
  });

  it.each(FINAL_STATES)('again, when it is %s, gets CONFLICT and changes nothing', async (state) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn(state, server, [a, r, ravi]);
    await barrier(a, ravi, a, r);
    const before = [await callOf(a, callId), told(a, callId), told(r, callId)];
    for (const client of [a, r]) {
      const error = await refusal(client, 'call:end', { callId, duration: 500, reason: 'late' });
      expect(error).toMatchObject(conflict(callId, state));
    }
    await barrier(a, ravi, a, r);
    expect([await callOf(a, callId), told(a, callId), told(r, callId)]).toEqual(before);
  });

  it('is won by one of both who hang up at the same moment', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const acks = await Promise.all([a, r].map((client) => client.send('call:end', { callId })));
    expect(acks.filter(({ ok }) => ok)).toHaveLength(1);
    expect(acks.find(({ ok }) => !ok)).toMatchObject({ error: conflict(callId, 'ended') });
    await barrier(a, ravi, a, r);
    expect([...a.all('call:end'), ...r.all('call:end')]).toHaveLength(1);
  });

  it('tells outsiders the same of a call as of none', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const pair = { asha, ravi, mallory, conversationId };
    await expectNothingForOutsiders(url, pair, [a, r], 'call:end', callId);
    expect((await callOf(a, callId)).status).toBe('connected');
  });

  it.each(WRONG_CALL_IDS)('refuses %j', async (payload) => {
    await expectBadField(await connectAs(url, ravi), 'call:end', payload, 'callId');
  });

  it.each([42, {}, 'x'.repeat(101), 'a\u0000b'])('refuses the reason %j', async (reason) => {
    const r = await connectAs(url, ravi);
    await expectBadField(r, 'call:end', { callId: MISSING_ID, reason }, 'reason');
  });
});
