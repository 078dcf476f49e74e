import type { Call } from '../../../src/call/call.schema.js';
import { calleeOf, callerOf } from '../../../src/call/call-rules.js';
import type { CallParty } from '../../../src/call/call-state.js';
import { partyKey } from '../../../src/contract/identity.js';
import type { Deed, Heard, StormDevice, Visit } from './storm-device.js';
import type { Outcome } from './storm-outcome.js';
import type { StoredLog } from './stored-log.js';

/** A connection of one of the parties while the call lasted, or of whoever saw or did something about it. */
export interface Stay {
  device: StormDevice;
  visit: Visit;
  /** Absent: an outsider. */
  role?: CallParty;
}

/** A call, and all that there is about it. */
export interface CallRecord {
  id: string;
  call: Call;
  logs: StoredLog[];
  /** Of the parties, whether or not they heard of it. */
  stays: Stay[];
  /** By whomever. */
  heard: (Stay & { heard: Heard })[];
  /** By whomever, `call:initiate` and `call:state` included. */
  deeds: (Stay & { deed: Deed })[];
}

export interface Records {
  calls: CallRecord[];
  /** What was heard of calls that are not stored. */
  unknown: string[];
}

export function makeRecords({ calls, logs, devices }: Outcome): Records {
  const records = new Map(calls.map((call) => [call._id.toHexString(), recordOf(call)]));
  const unknown: string[] = [];
  const find = (callId: string | undefined, what: string): CallRecord | undefined => {
    const record = records.get(callId ?? '');
    if (record === undefined && callId !== undefined)
      unknown.push(`${what} of ${callId}, which is not stored`);
    return record;
  };
  for (const log of logs) find(log.callId, 'the log')?.logs.push(log);
  for (const device of devices) {
    for (const visit of device.visits) {
      const stay = (call: Call): Stay => stayOf(device, visit, call);
      for (const heard of visit.heard) {
        const record = find(heard.payload.callId, heard.event);
        record?.heard.push({ ...stay(record.call), heard });
      }
      for (const deed of visit.deeds) {
        const callId = deed.payload.callId ?? callIdIn(deed);
        const record = find(callId, deed.event);
        record?.deeds.push({ ...stay(record.call), deed });
      }
    }
  }
  const stays = devices.flatMap((device) => device.visits.map((visit) => ({ device, visit })));
  for (const record of records.values()) record.stays = partiesStays(record.call, stays);
  return { calls: [...records.values()], unknown };
}

function recordOf(call: Call): CallRecord {
  return { id: call._id.toHexString(), call, logs: [], stays: [], heard: [], deeds: [] };
}

function callIdIn({ ack }: Deed): string | undefined {
  if (ack?.ok) return ack.data.callId;
  const details = ack?.error.details;
  return details !== undefined && 'callId' in details ? String(details.callId) : undefined;
}

function partiesStays(call: Call, stays: Omit<Stay, 'role'>[]): Stay[] {
  const [from, to] = [call.startedAt.getTime(), call.endedAt?.getTime() ?? Infinity];
  return stays
    .filter(({ visit }) => visit.from < to && visit.to > from)
    .map(({ device, visit }) => stayOf(device, visit, call))
    .filter(({ role }) => role !== undefined);
}

function stayOf(device: StormDevice, visit: Visit, call: Call): Stay {
  const key = partyKey(device.person);
  if (key === partyKey(callerOf(call))) return { device, visit, role: 'caller' };
  return { device, visit, ...(key === partyKey(calleeOf(call)) && { role: 'callee' as const }) };
}
