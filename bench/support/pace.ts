import { setTimeout } from 'node:timers/promises';

/** Calls `act` on a fixed schedule, whatever becomes of it, with the time at which each call was due; until `isOn` says no. */
export async function keepPace(
  perSecond: number,
  isOn: () => boolean,
  act: (due: number) => void,
): Promise<void> {
  const startedAt = performance.now();
  for (let count = 0; isOn();) {
    const due = startedAt + (count * 1000) / perSecond;
    if (due > performance.now()) await setTimeout(1);
    else {
      act(due);
      count += 1;
    }
  }
}
