import type { Call } from '../../../src/call/call.schema.js';
import type { CallParty } from '../../../src/call/call-state.js';
import type { Heard } from './storm-device.js';
import { STORM_TIMES } from './storm-nodes.js';
import type { CallRecord, Stay } from './storm-records.js';

/** Who stays so long after a transition has heard of it: also when another node has to tell. */
const GRACE_MS = 3000;
const OWN = new Set(['call:accept', 'call:reject', 'call:end', 'call']);

/** What is wrong with what the devices were told of a call. */
export function faultsOfTelling(record: CallRecord): string[] {
  const strangers = record.heard.filter(({ role }) => role === undefined);
  const faults = strangers.map(({ device, heard }) => `${device.name}, an outsider, was told ${heard.event}`);
  if (record.call.endReason === 'busy') return [...faults, ...faultsOfRefusal(record)];
  return [
    ...faults,
    ...record.stays.flatMap((stay) => faultsOfStay(record, stay)),
    ...faultsOfConnected(record),
    ...faultsOfWords(record),
  ];
}

/** A call that met a busy party rang nowhere: the socket that tried hears of it, and both get the log. */
function faultsOfRefusal({ heard }: CallRecord): string[] {
  return heard
    .filter(({ heard: { event, payload }, role }) => {
      const isRefusal = event === 'call:reject' && role === 'caller' && payload.reason === 'busy';
      return event !== 'dm:message_received' && !isRefusal;
    })
    .map(({ device, heard: { event } }) => `${device.name} was told ${event} of a refused call`);
}

function faultsOfStay({ call, heard, deeds }: CallRecord, stay: Stay): string[] {
  const { device, visit } = stay;
  const told = heard.filter((entry) => entry.visit === visit).map((entry) => entry.heard);
  const isOwn = deeds.some(
    ({ deed, visit: of }) => of === visit && OWN.has(deed.event) && deed.ack?.ok === true,
  );
  const mayHaveAccepted = deeds.some(
    ({ deed, visit: of }) => of === visit && OWN.has(deed.event) && (deed.ack?.ok ?? true),
  );
  const missing = expected(call, stay, mayHaveAccepted).filter(({ fits }) => !told.some(fits));
  const faults = missing.map(({ what }) => `was not told ${what}`);
  const ring = told.findLast(({ event }) => event === 'call:incoming');
  if (ring !== undefined && !isOwn && stays(stay, Math.max(ring.at, ringOver(call)))) {
    const stops = told.filter(({ event }) => event === 'call:end');
    if (!stops.some(({ order }) => order > ring.order))
      faults.push(stops.length > 0 ? 'was rung after it was told of the end' : 'was left ringing');
  }
  const story = told.map(({ event, at, payload }) => `${at} ${event} ${payload.reason ?? ''}`).join(', ');
  return faults.map(
    (fault) =>
      `${device.name} (${stay.role}, ${visit.socketId}, ${visit.from}–${visit.to}) ${fault}; told: ${story}`,
  );
}

interface Expectation {
  what: string;
  fits: (heard: Heard) => boolean;
}

/** What this connection must have been told, if it lasted. */
function expected(call: Call, stay: Stay, mayHaveAccepted: boolean): Expectation[] {
  const { role, visit } = stay;
  const { startedAt, acceptedAt, endedAt, lastSocketId } = call;
  const wasThere = (at: Date | undefined): boolean =>
    at !== undefined && visit.from < at.getTime() && stays(stay, at.getTime());
  const all: Expectation[] = [];
  if (role === 'callee' && wasThere(startedAt)) all.push(word('call:incoming'));
  if (role === 'caller' && wasThere(acceptedAt)) all.push(word('call:accept'));
  if (role === 'callee' && wasThere(acceptedAt) && !mayHaveAccepted)
    all.push(word('call:end', 'answered_elsewhere'));
  if (wasThere(endedAt) && visit.socketId !== lastSocketId) all.push(endFor(call, role as CallParty));
  return all;
}

function endFor({ status, endReason, duration }: Call, role: CallParty): Expectation {
  if (status === 'rejected' && role === 'caller') return word('call:reject', endReason);
  if (status === 'rejected') return word('call:end', 'declined_elsewhere');
  const { fits } = word('call:end', endReason);
  return {
    what: `call:end ${endReason} ${duration}`,
    fits: (heard) => fits(heard) && heard.payload.duration === duration,
  };
}

function word(event: string, reason?: string): Expectation {
  return {
    what: `${event} ${reason ?? ''}`,
    fits: (heard) => heard.event === event && (reason === undefined || heard.payload.reason === reason),
  };
}

/** The one of the two who did not say it first is told, on all devices. */
function faultsOfConnected({ call, stays: all, heard }: CallRecord): string[] {
  const at = call.connectedAt?.getTime();
  if (at === undefined) return [];
  const wereTold = (role: CallParty): boolean =>
    all
      .filter((stay) => stay.role === role && stay.visit.from < at && stays(stay, at))
      .every(({ visit }) =>
        heard.some((entry) => entry.visit === visit && entry.heard.event === 'call:connected'),
      );
  return wereTold('caller') || wereTold('callee') ? [] : ['neither was told that the other is connected'];
}

/** Every word of an end is of this call's one end. */
function faultsOfWords({ call, heard }: CallRecord): string[] {
  const reasons = new Set([
    call.endReason,
    call.status,
    'answered_elsewhere',
    'declined_elsewhere',
    'accepted',
    'connected',
  ]);
  return heard.flatMap(({ device, heard: { event, payload } }) => {
    if (event !== 'call:end' && event !== 'call:reject') return [];
    return reasons.has(payload.reason) ? [] : [`${device.name} was told ${event} ${payload.reason}`];
  });
}

/** Nobody is given up who was there: a caller while it rang, either party of an answered call. */
export function faultsOfAbsence({ call, stays: all }: CallRecord): string[] {
  const { status, lastActor, endReason, endedAt } = call;
  if (lastActor !== undefined || (status !== 'cancelled' && endReason !== 'network_error')) return [];
  const [roles, patienceMs] =
    status === 'cancelled'
      ? [['caller'], STORM_TIMES.callerReturnMs]
      : [['caller', 'callee'], STORM_TIMES.partyReturnMs];
  const end = endedAt?.getTime() ?? NaN;
  const wereThere = roles.filter((role) =>
    all.some((stay) => stay.role === role && stay.visit.from <= end - patienceMs && stay.visit.to >= end),
  );
  return wereThere.length === roles.length ? [`given up, though ${wereThere.join(' and ')} was there`] : [];
}

function ringOver({ acceptedAt, endedAt }: Call): number {
  return (acceptedAt ?? endedAt)?.getTime() ?? Infinity;
}

function stays({ visit }: Stay, at: number): boolean {
  return visit.to > at + GRACE_MS;
}
