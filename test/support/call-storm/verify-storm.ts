import type { Outcome } from './storm-outcome.js';
import { type CallRecord, makeRecords } from './storm-records.js';
import { faultsOfDeeds, faultsOfError } from './verify-deeds.js';
import { faultsOfBusy, faultsOfStored, overlaps } from './verify-stored.js';
import { faultsOfAbsence, faultsOfTelling } from './verify-told.js';

/** Everything that is wrong, in words that say what and where; empty when all is well. */
export function verifyStorm(outcome: Outcome): string[] {
  const { calls, unknown } = makeRecords(outcome);
  const ofCalls = calls.flatMap((record) =>
    [
      ...faultsOfStored(record),
      ...faultsOfBusy(record, calls),
      ...faultsOfDeeds(record),
      ...faultsOfTelling(record),
      ...faultsOfAbsence(record),
    ].map((fault) => `${record.id} (${summary(record)}): ${fault}`),
  );
  const errors = outcome.devices
    .flatMap(({ visits }) => visits)
    .flatMap(({ heard }) => heard)
    .filter(({ event }) => event === 'error');
  const stillOpen = outcome.openAtTheEnd.filter((ack) => ack?.ok !== true || ack.data.call !== null);
  return [
    ...outcome.faults,
    ...unknown,
    ...ofCalls,
    ...overlaps(calls),
    ...errors.flatMap(({ payload }) => faultsOfError(payload)),
    ...stillOpen.map((ack) => `open at the end: ${JSON.stringify(ack)}`),
  ];
}

/** How often calls ended in which way, and what else happened: a storm that is none proves nothing. */
export function tally({ calls, devices, restarts }: Outcome): Record<string, number> {
  const counts: Record<string, number> = { restarts };
  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
  for (const { status, endReason, lastActor } of calls)
    count(
      endReason === 'busy' || endReason === 'network_error'
        ? endReason
        : `${status} by ${lastActor ?? 'time'}`,
    );
  for (const { visits } of devices) {
    for (const { deeds } of visits) {
      count('connections');
      for (const { event, ack } of deeds) {
        count('deeds');
        if (event === 'call:initiate' && ack?.ok === false && ack.error.code === 'CONFLICT') count('glare');
        if (ack === undefined) count('lost answers');
        else if (!ack.ok) count(ack.error.code);
      }
    }
  }
  return counts;
}

function summary({
  call: { status, endReason, startedAt, acceptedAt, endedAt, lastActor },
}: CallRecord): string {
  const after = (at: Date | undefined): string =>
    at === undefined ? '-' : `+${at.getTime() - startedAt.getTime()}`;
  const [answered, ended] = [after(acceptedAt), after(endedAt)];
  return `${status} ${endReason} by ${lastActor ?? 'time'}, began ${startedAt.getTime()}, answered ${answered}, ended ${ended}`;
}
