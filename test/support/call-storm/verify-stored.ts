import type { Call } from '../../../src/call/call.schema.js';
import { calleeOf, callerOf } from '../../../src/call/call-rules.js';
import { isFinal, logStatusOf } from '../../../src/call/call-state.js';
import { partyKey } from '../../../src/contract/identity.js';
import { canonicalConversationId } from '../../../src/messaging/conversation-id.js';
import type { CallRecord } from './storm-records.js';

/** A deadline is met so late at the most, on a slow machine and while nodes are down; and the clock is read so long before what it is read for. */
const LATENESS_MS = 5000;
const OPEN_FIELDS = ['open', 'occupied', 'ringDue', 'presenceDue', 'tokenDue', 'followUpDue'] as const;

/** What is wrong with a finished call as it is stored. */
export function faultsOfStored({ call, logs }: CallRecord): string[] {
  const { status, startedAt, ringExpiresAt, acceptedAt, connectedAt, endedAt, duration, endReason } = call;
  if (!isFinal(status) || endedAt === undefined)
    return [`it is ${status}, and ended at ${endedAt?.toISOString()}`];
  const faults: string[] = [];
  const demand = (holds: boolean, otherwise: string): void => void (holds || faults.push(otherwise));
  const left = OPEN_FIELDS.filter((field) => call[field] !== undefined);
  demand(left.length === 0, `${left.join(', ')} is left`);
  demand(
    (status === 'ended') === (acceptedAt !== undefined),
    `${status}, answered ${acceptedAt?.toISOString()}`,
  );
  demand(acceptedAt === undefined || acceptedAt < ringExpiresAt, 'answered after the end of the ringing');
  demand(
    connectedAt === undefined || (acceptedAt ?? Infinity) <= connectedAt,
    'connected before it was answered',
  );
  demand(startedAt <= endedAt && (connectedAt ?? startedAt) <= endedAt, 'ended before it began');
  const late = endedAt.getTime() - ringExpiresAt.getTime();
  if (status === 'missed') demand(late >= 0 && late < LATENESS_MS, `missed ${late} ms after its time`);
  if (status === 'rejected' || status === 'cancelled')
    demand(
      late < 0 || endReason === 'busy' || call.lastActor === undefined,
      `${status} ${late} ms after its time`,
    );
  const from = connectedAt ?? acceptedAt ?? endedAt;
  const talked = (endedAt.getTime() - from.getTime()) / 1000;
  demand(Math.abs((duration ?? NaN) - talked) < 1, `${talked} s are ${duration}`);
  return [...faults, ...faultsOfLog(call, logs)];
}

function faultsOfLog(call: Call, logs: CallRecord['logs']): string[] {
  const [caller, callee] = [callerOf(call), calleeOf(call)];
  const found = logs.map((log) => ({
    conversationId: log.conversationId,
    from: partyKey({ id: log.senderId, type: log.senderType }),
    status: log.callStatus,
    duration: log.callDuration,
  }));
  const expected = [
    {
      conversationId: canonicalConversationId(caller, callee),
      from: partyKey(caller),
      status: logStatusOf(call.status, call.endReason),
      duration: call.duration,
    },
  ];
  const [is, shouldBe] = [JSON.stringify(found), JSON.stringify(expected)];
  return is === shouldBe ? [] : [`its logs are ${is}, should be ${shouldBe}`];
}

/** Users and astrologers who were in two calls at a time; a refused call is none. */
export function overlaps(records: CallRecord[]): string[] {
  const byPerson = new Map<string, CallRecord[]>();
  for (const record of records.filter(({ call }) => call.endReason !== 'busy')) {
    for (const party of [callerOf(record.call), calleeOf(record.call)]) {
      if (party.type === 'admin') continue;
      byPerson.set(partyKey(party), [...(byPerson.get(partyKey(party)) ?? []), record]);
    }
  }
  return [...byPerson].flatMap(([key, own]) =>
    own.flatMap((one, index) =>
      own
        .slice(index + 1)
        .filter((other) => !wasOverBefore(one, other) && !wasOverBefore(other, one))
        .map((other) => `${key} was in ${one.id} and ${other.id} at a time`),
    ),
  );
}

/** `startedAt` is read from the clock before the call is stored, which may have waited for the other one to end: the first sign of it counts. */
function wasOverBefore({ call: { endedAt } }: CallRecord, { call, heard, deeds }: CallRecord): boolean {
  const signs = [
    ...heard.map((entry) => entry.heard.at),
    ...deeds.map(({ deed }) => deed.answeredAt ?? Infinity),
    call.acceptedAt?.getTime() ?? Infinity,
    call.endedAt?.getTime() ?? Infinity,
  ];
  return (endedAt?.getTime() ?? Infinity) <= Math.min(...signs);
}

/** A refused call, and no other one of either party at that time. */
export function faultsOfBusy(record: CallRecord, records: CallRecord[]): string[] {
  const { call } = record;
  if (call.endReason !== 'busy') return [];
  const parties = new Set(
    [callerOf(call), calleeOf(call)].filter(({ type }) => type !== 'admin').map(partyKey),
  );
  const isReason = records.some(
    (other) =>
      other.call.endReason !== 'busy' &&
      [callerOf(other.call), calleeOf(other.call)].some((party) => parties.has(partyKey(party))) &&
      other.call.startedAt.getTime() <= (call.endedAt?.getTime() ?? 0) + LATENESS_MS &&
      (other.call.endedAt?.getTime() ?? Infinity) >= call.startedAt.getTime() - LATENESS_MS,
  );
  return isReason ? [] : ['nobody was busy'];
}
