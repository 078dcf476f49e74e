import { setTimeout as wait } from 'node:timers/promises';
import type {
  CallInitiatedPayload,
  CallOutcomePayload,
  CallPayload,
  CallStatePayload,
} from '../../../src/contract/call.js';
import { CallEar } from '../../support/call-storm/call-ear.js';
import { connectAs } from '../../support/client.js';
import { historyOf } from '../../support/direct-chat.js';
import { freePort } from '../../support/free-port.js';
import { newPair, type Pair } from '../../support/pair.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
import type { Person } from '../../support/token.js';
import { until } from '../../support/until.js';

const CALLS = 50;
const RING_SECONDS = 25;
const DOWN_MS = 5000;
/** A deadline is met within this time. */
const LATENESS_MS = 3000;
/** The ringing, and what a slow machine takes for the rest. */
const PATIENCE_MS = 180_000;

interface Line extends Pair {
  caller: CallEar;
  callee: CallEar;
  callId: string;
}

/** A client that comes back by itself, as the apps do. */
async function enduring(url: string, person: Person): Promise<CallEar> {
  const options = { reconnection: true, reconnectionDelay: 200, reconnectionDelayMax: 1000 };
  return new CallEar(await connectAs(url, person, options));
}

/** A call that rings. */
async function ring(url: string): Promise<Line> {
  const pair = newPair();
  const [caller, callee] = await Promise.all([enduring(url, pair.asha), enduring(url, pair.ravi)]);
  const { id: recipientId, type: recipientType } = pair.ravi;
  const { callId } = await caller.client.ask<CallInitiatedPayload>('call:initiate', {
    recipientId,
    recipientType,
    callType: 'voice',
  });
  await callee.client.waitFor('call:incoming', (incoming) => incoming.callId === callId);
  return { ...pair, caller, callee, callId };
}

/** Of a call that is answered, and connected by one of the two. */
async function answer({ caller, callee, callId }: Line, index: number): Promise<void> {
  await callee.client.ask('call:accept', { callId });
  await (index % 2 === 0 ? caller : callee).client.ask('call:connected', { callId });
}

const many = <T>(make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: CALLS }, (_, index) => make(index)));

async function stateOf({ caller, callId }: Line): Promise<CallPayload> {
  const { call } = await caller.client.ask<CallStatePayload>('call:state', { callId });
  if (call === null) throw new Error(`there is no call ${callId}`);
  return call;
}

const secondsBetween = (from: string | null, to: string | null): number =>
  (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;

/** Ends it by one of the two, and checks what the other one and the database say. */
async function endAndCheck(line: Line, index: number): Promise<CallPayload> {
  const { caller, callee, callId } = line;
  const [ender, other] = index % 2 === 0 ? [callee, caller] : [caller, callee];
  const { status, duration } = await ender.client.ask<CallOutcomePayload>('call:end', { callId });
  const told = await other.client.waitFor('call:end', (end) => end.callId === callId);
  const call = await stateOf(line);
  expect([status, told, call]).toMatchObject([
    'ended',
    { duration, reason: 'ended' },
    { status, duration, endReason: 'ended' },
  ]);
  const talked = secondsBetween(call.connectedAt ?? call.acceptedAt, call.endedAt);
  expect(Math.abs(duration - talked)).toBeLessThan(1);
  return call;
}

/** Nobody answered: both are told at the end of the ringing, not before and not much later. */
async function checkMissed(line: Line): Promise<void> {
  const { caller, callee, callId } = line;
  const call = await stateOf(line);
  expect(call).toMatchObject({ status: 'missed', duration: 0, acceptedAt: null });
  for (const ear of [caller, callee]) {
    expect([callId, ...ear.storyOf(callId)]).toEqual([callId, 'call:end missed']);
    const toldAt = ear.of(callId).at(-1)?.at ?? 0;
    expect(toldAt).toBeGreaterThanOrEqual(Date.parse(call.ringExpiresAt));
    expect(toldAt).toBeLessThan(Date.parse(call.ringExpiresAt) + LATENESS_MS);
  }
}

async function checkLog({ caller, callId, conversationId }: Line, callStatus: string): Promise<void> {
  await caller.client.waitFor('dm:message_received', (message) => message.callId === callId);
  const logs = await historyOf(caller.client, conversationId);
  expect(logs).toMatchObject([{ messageType: 'call_log', callId, callStatus }]);
}

describe('the server killed with SIGKILL while 50 calls ring and 50 are connected, restarted after 5 s', () => {
  it(
    'ringing calls still time out at their time, accepts work, connected calls are ended with the right duration',
    async () => {
      const dataDir = await temporaryFolder();
      const variables = {
        PORT: String(await freePort()),
        CALL_RING_TIMEOUT_SECONDS: String(RING_SECONDS),
        LOG_LEVEL: 'warn',
      };
      const first = await startServer(dataDir, variables);
      const talking = await many(() => ring(first.address));
      await Promise.all(talking.map(answer));
      const before = await Promise.all(talking.map(stateOf));
      const ringing = await many(() => ring(first.address));

      await first.stop('SIGKILL');
      await wait(DOWN_MS);
      const second = await startServer(dataDir, variables);
      const ears = [...talking, ...ringing].flatMap(({ caller, callee }) => [caller, callee]);
      await Promise.all(ears.map(({ client }) => client.waitForCount('connected', 2)));

      // Who rang rings again, and may be answered.
      await Promise.all(ringing.map(({ callee }) => callee.client.waitForCount('call:incoming', 2)));
      const [answered, missed] = [ringing.slice(0, CALLS / 2), ringing.slice(CALLS / 2)];
      await Promise.all(answered.map(answer));
      await Promise.all(
        answered.map(({ caller, callId }) =>
          caller.client.waitFor('call:accept', (accept) => accept.callId === callId),
        ),
      );

      const ended = await Promise.all(talking.map(endAndCheck));
      expect(ended.map(({ connectedAt }) => connectedAt)).toEqual(
        before.map(({ connectedAt }) => connectedAt),
      );
      for (const { duration } of ended) expect(duration).toBeGreaterThanOrEqual(DOWN_MS / 1000);

      const hasEnded = ({ caller, callee, callId }: Line): boolean =>
        [caller, callee].every((ear) => ear.storyOf(callId).length > 0);
      await until(() => missed.every(hasEnded), RING_SECONDS * 1000);
      await Promise.all(missed.map(checkMissed));
      await Promise.all(answered.map(endAndCheck));
      await Promise.all([...talking, ...answered].map((line) => checkLog(line, 'completed')));
      await Promise.all(missed.map((line) => checkLog(line, 'missed')));
      expect(await second.stop()).toBe(0);
    },
    PATIENCE_MS,
  );
});
