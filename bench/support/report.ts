import { cpus, loadavg } from 'node:os';
import type { TimeSpent } from './profile.js';
import { median } from './statistics.js';

/** Of ours and the bare server's figure, with what is wanted of the ratio. */
export interface Comparison {
  name: string;
  ours: number;
  bare: number;
  /** ours / bare, of each round. Their median counts, which the machine's moods distort less than a ratio of medians. */
  ratios: number[];
  goal?: { atLeast: number } | { atMost: number };
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function printMachine(): void {
  const processors = cpus();
  const load = loadavg()[0]?.toFixed(2);
  print(
    `Node.js ${process.version}, ${processors.length} processors (${processors[0]?.model.trim()}), load ${load}`,
  );
}

export function printComparisons(title: string, comparisons: Comparison[]): void {
  print();
  const heads = ['ours'.padStart(9), 'bare'.padStart(9), 'ratio'.padStart(7), '(from … to)'];
  print(`${title.padEnd(42)} ${heads.join(' ')}  goal`);
  for (const { name, ours, bare, ratios, goal } of comparisons) {
    const ratio = median(ratios);
    const range = `(${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`.padEnd(11);
    const figures = [figure(ours).padStart(9), figure(bare).padStart(9), ratio.toFixed(2).padStart(7), range];
    print(`  ${name.padEnd(40)} ${figures.join(' ')}  ${verdict(ratio, goal)}`.trimEnd());
  }
}

/**
 * @param cost of one piece of work in CPU time, microseconds, by which shares become times
 * @param work what a piece is, e.g. `message`
 */
export function printTimeSpent(
  title: string,
  { groups, functions }: TimeSpent,
  cost: number,
  work = 'message',
): void {
  print();
  print(`${title.padEnd(54)} ${'share'.padStart(7)} ${`µs/${work}`.padStart(11)}`);
  const line = ({ name, share }: { name: string; share: number }): void =>
    print(
      `  ${name.padEnd(52)} ${`${(100 * share).toFixed(1)} %`.padStart(7)} ${(share * cost).toFixed(1).padStart(11)}`,
    );
  for (const group of groups.filter(({ share }) => share >= 0.01)) line(group);
  for (const [index, spender] of functions.slice(0, TOP_FUNCTIONS).entries()) {
    if (index === 0) print('  by function:');
    line(spender);
  }
}

const TOP_FUNCTIONS = 25;

function figure(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}

function verdict(ratio: number, goal: Comparison['goal']): string {
  if (goal === undefined) return '';
  const [wanted, isMet] =
    'atLeast' in goal
      ? [`≥ ${goal.atLeast}`, ratio >= goal.atLeast]
      : [`≤ ${goal.atMost}`, ratio <= goal.atMost];
  return `${wanted} ${isMet ? 'reached' : 'MISSED'}`;
}
