import type { Type } from '@nestjs/common';
import { Types } from 'mongoose';
import type {
  CallAcceptedPayload,
  CallInitiatedPayload,
  CallPayload,
  CallState,
  CallStatePayload,
} from '../../src/contract/call.js';
import { CallTimes } from '../../src/call/call-times.js';
import { AppConfig } from '../../src/config/config.js';
import { collectionOf, type Replacement, startApp, type TestApp } from './app.js';
import { connectAll, connectAs, type TestClient } from './client.js';
import { barrier, MISSING_ID, refusal } from './direct-chat.js';
import { newPair, type Pair } from './pair.js';
import { WRONG_IDS } from './refusals.js';
import { admin, astrologer, type Person, user } from './token.js';

/** Variables of a node that has credentials of Agora. */
export const AGORA = { AGORA_APP_ID: 'a1'.repeat(16), AGORA_APP_CERTIFICATE: 'c0'.repeat(16) };

export const withCallTimes = (times: Partial<CallTimes>): Replacement => ({
  provide: CallTimes,
  useValue: Object.assign(new CallTimes(), times),
});

/** A node whose tokens live shorter than can be configured. */
export async function startWithTokenTtl(tokenTtlMs: number, times: Partial<CallTimes>): Promise<TestApp> {
  const { app, mongoUri } = await startApp();
  const config = app.get(AppConfig);
  const shorter = Object.assign({}, config, { agora: { ...config.agora, tokenTtlMs } });
  // Nodes whose tokens live differently would judge each other's.
  await app.close();
  return startApp(
    { MONGODB_URI: mongoUri },
    [],
    [{ provide: AppConfig as Type<AppConfig>, useValue: shorter }, withCallTimes(times)],
  );
}

/** The payload of a voice call to somebody. */
export const callTo = ({ id, type }: Person, fields: object = {}): object => ({
  recipientId: id,
  recipientType: type,
  callType: 'voice',
  ...fields,
});

export function ring(caller: TestClient, callee: Person, fields?: object): Promise<CallInitiatedPayload> {
  return caller.ask('call:initiate', callTo(callee, fields));
}

export function answer(callee: TestClient, callId: string): Promise<CallAcceptedPayload> {
  return callee.ask('call:accept', { callId });
}

/** Two devices of each, and a call from asha's first one that rings at both of ravi's. */
export async function ringEverywhere(url: string, { asha, ravi }: Pick<Pair, 'asha' | 'ravi'>) {
  const everybody = await connectAll(url, asha, asha, ravi, ravi);
  const [a1, a2, r1, r2] = everybody;
  const call = await ring(a1, ravi);
  const { callId } = call;
  for (const device of [r1, r2]) await ringsAt(device, callId);
  /** Whatever was on its way to anybody has arrived. */
  const settle = (): Promise<void> => barrier(a1, ravi, ...everybody);
  return { a1, a2, r1, r2, everybody, call, callId, settle };
}

/** Those who connected before it have been looked at: of their calls they hear from now on once, whoever tells. */
export async function arrivalsBarrier(url: string): Promise<void> {
  const { asha, ravi } = newPair();
  const { callId } = await ring(await connectAs(url, asha), ravi);
  await ringsAt(await connectAs(url, ravi), callId);
}

/** What a device was told of a call, in order, with the reason where there is one; its own tokens aside. */
export function told(client: TestClient, callId: string): string[] {
  return client.received.flatMap(({ event, args: [payload] }) => {
    const about = payload as { callId?: string; reason?: string };
    if (!event.startsWith('call:') || event === 'call:token' || about.callId !== callId) return [];
    return [about.reason === undefined ? event : `${event} ${about.reason}`];
  });
}

export const ringsAt = (callee: TestClient, callId: string) =>
  callee.waitFor('call:incoming', (call) => call.callId === callId);

export const endsAt = (client: TestClient, callId: string) =>
  client.waitFor('call:end', (call) => call.callId === callId);

/** The call as one of its parties sees it. */
export async function callOf(client: TestClient, callId: string): Promise<CallPayload> {
  const { call } = await client.ask<CallStatePayload>('call:state', { callId });
  if (call === null) throw new Error('there is no such call');
  return call;
}

const storedCall = (callId: string) => ({ _id: new Types.ObjectId(callId) });

/** Takes the time out of the ringing, past the application; nobody has attended to its deadline by then. */
export async function endRinging(server: Pick<TestApp, 'app'>, callId: string): Promise<void> {
  const over = { ringExpiresAt: new Date(Date.now() - 1) };
  await collectionOf(server, 'calls').updateOne(storedCall(callId), { $set: over });
}

/** The same, and its deadline is due. */
export async function expire(server: Pick<TestApp, 'app'>, callId: string): Promise<void> {
  const over = new Date(Date.now() - 1);
  const set = { ringExpiresAt: over, ringDue: over };
  await collectionOf(server, 'calls').updateOne(storedCall(callId), { $set: set });
}

/** Moves the times at which a call was answered and connected back, past the application. */
export async function prolong(server: Pick<TestApp, 'app'>, callId: string, seconds: number): Promise<void> {
  const calls = collectionOf<{ acceptedAt?: Date; connectedAt?: Date }>(server, 'calls');
  const call = await calls.findOne(storedCall(callId));
  const moved = (['acceptedAt', 'connectedAt'] as const).flatMap((field) => {
    const at = call?.[field];
    return at === undefined ? [] : [[field, new Date(at.getTime() - seconds * 1000)] as const];
  });
  await calls.updateOne(storedCall(callId), { $set: Object.fromEntries(moved) });
}

/** The states in which a call can be found after it was stored. */
export const STATES = [
  'ringing',
  'accepted',
  'connected',
  'ended',
  'rejected',
  'cancelled',
  'missed',
] as const;

export const FINAL_STATES = ['ended', 'rejected', 'cancelled', 'missed'] as const;

/** A call from `caller` to `callee`, taken into a state. */
export async function callIn(
  state: CallState,
  server: Pick<TestApp, 'app'>,
  [caller, callee, person]: [TestClient, TestClient, Person],
): Promise<string> {
  const { callId } = await ring(caller, person);
  await ringsAt(callee, callId);
  if (['accepted', 'connected', 'ended'].includes(state)) await answer(callee, callId);
  if (state === 'connected') await caller.ask('call:connected', { callId });
  if (state === 'ended' || state === 'cancelled') await caller.ask('call:end', { callId });
  if (state === 'rejected') await callee.ask('call:reject', { callId });
  if (state === 'missed') {
    await expire(server, callId);
    for (const client of [caller, callee]) await endsAt(client, callId);
  }
  return callId;
}

/** What is refused because the call is in this state. */
export const conflict = (callId: string, state: CallState) => ({
  code: 'CONFLICT',
  retryable: false,
  details: { state, callId },
});

/** Payloads without an id of a call. */
export const WRONG_CALL_IDS: { callId: unknown }[] = WRONG_IDS.map((callId) => ({ callId }));

/**
 * Fails unless strangers, namesakes of the two among them, are told the same of this call as of one that does not exist, and hear nothing of
 * it, and the two hear nothing of them.
 */
export async function expectNothingForOutsiders(
  url: string,
  { asha, ravi, mallory }: Pair,
  [a, r]: [TestClient, TestClient],
  event: string,
  callId: string,
): Promise<void> {
  const before = [a, r].map((client) => told(client, callId));
  const outsiders: [Person, TestClient][] = [
    [mallory, r],
    [user(ravi.id), r],
    [astrologer(asha.id), a],
    [admin(), a],
  ];
  for (const [person, sender] of outsiders) {
    const outsider = await connectAs(url, person);
    const existing = await refusal(outsider, event, { callId });
    expect(existing.code).toBe('NOT_FOUND');
    expect(await refusal(outsider, event, { callId: MISSING_ID })).toEqual(existing);
    await barrier(sender, person, outsider);
    expect(told(outsider, callId)).toEqual([]);
    expect(outsider.all('call:token').filter((token) => token.callId === callId)).toEqual([]);
    outsider.close();
  }
  await barrier(a, ravi, a, r);
  expect([a, r].map((client) => told(client, callId))).toEqual(before);
}
