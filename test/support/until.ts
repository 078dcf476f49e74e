import { setTimeout } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/** Repeats until it holds: for what nobody tells of. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it never came true');
    await setTimeout(20);
  }
}
