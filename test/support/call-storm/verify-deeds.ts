import type { ErrorBody } from '../../../src/contract/errors.js';
import type { Deed } from './storm-device.js';
import type { CallRecord, Stay } from './storm-records.js';

/** What an outsider is told of any call, whether there is one or not. */
const NOTHING: ErrorBody = { code: 'NOT_FOUND', message: 'There is no such call.', retryable: false };
const ACCEPTS = ['accepted'];
const ENDS = ['ended', 'cancelled', 'rejected'];

type Done = Stay & { deed: Deed };

/** What is wrong with the answers to what was done to a call, and with what made it what it became. */
export function faultsOfDeeds({ call, deeds }: CallRecord): string[] {
  const faults = deeds.flatMap((done) => faultsOfAnswer(done, call.endReason === 'busy'));
  const [accepts, ends] = [deeds.filter(brought(ACCEPTS)), deeds.filter(brought(ENDS))];
  if (accepts.length > 1) faults.push(`${accepts.length} devices accepted`);
  if (accepts.length > 0 && call.acceptedAt === undefined) faults.push('an accept was lost');
  if (accepts.length === 0 && call.acceptedAt !== undefined && !deeds.some(mayHave(['call:accept', 'call'])))
    faults.push('nobody accepted it');
  if (ends.length > 1) faults.push(`${ends.length} devices ended it`);
  for (const { deed } of ends) {
    if (deed.ack?.ok !== true) continue;
    const { status, duration } = deed.ack.data;
    if (status !== call.status || duration !== call.duration)
      faults.push(
        `its end was acknowledged as ${status} ${duration}, stored is ${call.status} ${call.duration}`,
      );
  }
  return [...faults, ...faultsOfActor(call, deeds, ends), ...faultsOfTimes(call, deeds)];
}

/** Whoever ended it is a party, by a deed of theirs; what nobody ended was ended by a deadline. */
function faultsOfActor(call: CallRecord['call'], deeds: Done[], ends: Done[]): string[] {
  const { lastActor, lastSocketId } = call;
  if (lastActor === undefined) return ends.length === 0 ? [] : ['a deadline and a device ended it'];
  const actors = deeds
    .filter(mayHave(['call:end', 'call:reject', 'call']))
    .filter(({ visit, role }) => visit.socketId === lastSocketId && role === lastActor);
  if (actors.length === 0) return [`nobody did what ${lastActor} ${lastSocketId} did`];
  return ends.every(({ visit }) => visit.socketId === lastSocketId) ? [] : ['another one ended it'];
}

/** The server's clock is that of the devices here: what was done was done between question and answer. */
function faultsOfTimes(call: CallRecord['call'], deeds: Done[]): string[] {
  const times: [string[], Date | undefined][] = [
    [ACCEPTS, call.acceptedAt],
    [ENDS, call.endedAt],
  ];
  return times.flatMap(([statuses, at]) =>
    deeds.filter(brought(statuses)).flatMap(({ deed }) => {
      const time = at?.getTime() ?? NaN;
      return deed.at <= time && time <= (deed.answeredAt ?? Infinity)
        ? []
        : [`${deed.event} is stored at ${time}`];
    }),
  );
}

/** Deeds that were acknowledged as having brought the call into one of these states. */
function brought(statuses: string[]): (done: Done) => boolean {
  return ({ deed: { event, ack } }) =>
    event !== 'call:state' &&
    event !== 'call:connected' &&
    ack?.ok === true &&
    statuses.includes(ack.data.status ?? '');
}

/** Deeds that were done, or may have been: the answer was lost. */
function mayHave(events: string[]): (done: Done) => boolean {
  return ({ role, deed: { event, ack } }) =>
    role !== undefined &&
    events.includes(event) &&
    (ack === undefined || ack.ok || ack.error.code === 'UNAVAILABLE');
}

function faultsOfAnswer({ role, device, deed }: Done, isBusy: boolean): string[] {
  const { event, ack } = deed;
  if (ack === undefined || (!ack.ok && ack.error.code === 'UNAVAILABLE')) return [];
  const said = `${device.name} (${role ?? 'outsider'}): ${event} ${JSON.stringify(ack.ok ? ack.data : ack.error)}`;
  if (role === undefined)
    return JSON.stringify(ack) === JSON.stringify({ ok: false, error: NOTHING }) ? [] : [said];
  if (ack.ok) return [];
  const { code } = ack.error;
  const isForbidden = role === 'caller' && ['call:accept', 'call:reject', 'call'].includes(event);
  if (code === 'CONFLICT' || (code === 'FORBIDDEN' && isForbidden)) return [];
  return code === 'BUSY' && event === 'call:initiate' && isBusy ? [] : [said];
}

/** What was answered to a device that did not ask for an acknowledgement: only outsiders do not. */
export function faultsOfError(payload: Record<string, unknown>): string[] {
  const { event, ...error } = payload;
  if (error.code === 'UNAVAILABLE' || JSON.stringify(error) === JSON.stringify(NOTHING)) return [];
  return [`${String(event)} was answered with ${JSON.stringify(error)}`];
}
