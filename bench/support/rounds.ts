import type { Comparison } from './report.js';
import type { ServerName } from './servers.js';
import { median } from './statistics.js';

/** What both servers did, one right after the other. */
export type Round<Measured> = Record<ServerName, Measured>;

export function compare<Measured>(
  name: string,
  rounds: Round<Measured>[],
  of: (measured: Measured) => number,
  goal?: Comparison['goal'],
): Comparison {
  const { ours, bare } = figuresOf(rounds, of);
  const ratios = rounds.map((round) => of(round.ours) / of(round.bare));
  return { name, ours: median(ours), bare: median(bare), ratios, goal };
}

export function figuresOf<Measured>(
  rounds: Round<Measured>[],
  of: (measured: Measured) => number,
): Record<ServerName, number[]> {
  return { ours: rounds.map(({ ours }) => of(ours)), bare: rounds.map(({ bare }) => of(bare)) };
}
