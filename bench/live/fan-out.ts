import { setTimeout } from 'node:timers/promises';
import { alternate } from '../support/alternate.js';
import { cpuOf, type MeasuredProcess } from '../support/processes.js';
import { printComparisons } from '../support/report.js';
import { compare, figuresOf } from '../support/rounds.js';
import { type ServerName, SERVERS } from '../support/servers.js';
import { median } from '../support/statistics.js';
import type { AudienceOrder, FloodCount, FloodOrder, FloodResult, Seen } from './load-orders.js';
import type { Options } from './options.js';
import { authsOf, callAll, type Stage } from './stage.js';

/** Of each load generator: so that one of them waits for the database while another's comment is sent to all. */
const WRITERS = 10;
const CONNECTED_AT_ONCE = 25;
/** Deliveries per second, all together, that both servers can bear. */
const FIXED_DELIVERIES = 20_000;
const SEEN_PATIENCE_MS = 15_000;

interface Measured {
  deliveriesPerSecond: number;
  /** CPU time for a delivery, microseconds. */
  cost: { server: number; loads: number };
  everywhere: FloodResult['everywhere'];
  bytes: number;
}

/** To so many viewers, at full load and at a fixed rate. Returns what a delivery costs each server at full load, microseconds. */
export async function compareFanOut(
  stage: Stage,
  viewers: number,
  options: Options,
): Promise<Record<ServerName, number>> {
  const { rounds, seconds } = options;
  for (const server of SERVERS) await gather(stage, server, viewers);
  const run = (perSecond?: number) => (server: ServerName) => flood(stage, { server, perSecond }, options);
  // Not counted: the code becomes fast.
  await alternate(SERVERS, 1, run());
  const full = await alternate(SERVERS, rounds, run());
  printComparisons(`${viewers} viewers, as fast as it goes; ${rounds} × ${seconds} s`, [
    compare('deliveries per second', full, (one) => one.deliveriesPerSecond, { atLeast: 0.95 }),
    compare('server, CPU µs per delivery', full, ({ cost }) => cost.server, { atMost: 1.05 }),
    compare('load generators, CPU µs per delivery', full, ({ cost }) => cost.loads),
    compare('until everybody has it, p50 ms', full, ({ everywhere }) => everywhere.p50),
    compare('until everybody has it, p99 ms', full, ({ everywhere }) => everywhere.p99),
    compare('bytes of a comment', full, ({ bytes }) => bytes),
  ]);
  const perSecond = FIXED_DELIVERIES / viewers;
  const fixed = await alternate(SERVERS, rounds, run(perSecond));
  printComparisons(`${viewers} viewers, ${perSecond} comments per second; ${rounds} × ${seconds} s`, [
    compare('deliveries per second', fixed, (one) => one.deliveriesPerSecond, { atLeast: 0.95 }),
    compare('server, CPU µs per delivery', fixed, ({ cost }) => cost.server, { atMost: 1.05 }),
    compare('until everybody has it, p50 ms', fixed, ({ everywhere }) => everywhere.p50),
    compare('until everybody has it, p99 ms', fixed, ({ everywhere }) => everywhere.p99),
  ]);
  const costs = figuresOf(full, ({ cost }) => cost.server);
  return { ours: median(costs.ours), bare: median(costs.bare) };
}

export async function dismiss(stage: Stage): Promise<void> {
  for (const server of SERVERS) await callAll(stage, 'dismiss', () => server);
}

/**
 * Comments for some seconds, and what they cost. @throws when not everybody sees all of them, once and in the same order
 * @param during what is done with the server meanwhile, e.g. profiling
 */
export async function flood(
  stage: Stage,
  { server, perSecond }: FloodOrder & { server: ServerName },
  { warmUpSeconds, seconds }: Pick<Options, 'warmUpSeconds' | 'seconds'>,
  during: (server: MeasuredProcess, wait: () => Promise<void>) => Promise<void> = (_, wait) => wait(),
): Promise<Measured> {
  const { servers, loads } = stage;
  const share = perSecond === undefined ? {} : { perSecond: perSecond / loads.length };
  const cpu = (): Promise<number[]> => Promise.all([servers[server], ...loads].map(cpuOf));
  const counts = (method: string): Promise<FloodCount[]> => callAll(stage, method, () => server);
  await callAll(stage, 'start', () => ({ server, ...share }));
  await setTimeout(warmUpSeconds * 1000);
  const [before, cpuBefore] = await Promise.all([counts('begin'), cpu()]);
  await during(servers[server], () => setTimeout(seconds * 1000));
  const [after, cpuAfter] = await Promise.all([counts('count'), cpu()]);
  const results = await callAll<FloodResult>(stage, 'finish', () => server);
  await assertSameSeen(stage, server);

  const deliveries = after.map((count, index) => count.deliveries - (before[index]?.deliveries ?? 0));
  const total = sum(deliveries);
  const rates = after.map(
    ({ at }, index) => ((deliveries[index] ?? 0) * 1000) / (at - (before[index]?.at ?? 0)),
  );
  const [serverCost = 0, ...loadCosts] = cpuAfter.map(
    (value, index) => (value - (cpuBefore[index] ?? 0)) / total,
  );
  const [first] = results;
  if (first === undefined) throw new Error('There is no load generator.');
  return {
    deliveriesPerSecond: sum(rates),
    cost: { server: serverCost, loads: sum(loadCosts) },
    everywhere: first.everywhere,
    bytes: first.bytes,
  };
}

/** Each load generator has its part of the viewers, and moderators, who may write without waiting. */
async function gather(stage: Stage, server: ServerName, viewers: number): Promise<void> {
  const { servers, loads, streamIds } = stage;
  const orders = loads.map(async (_, index): Promise<AudienceOrder> => {
    const names = (count: number, kind: string): string[] =>
      Array.from({ length: count }, (__, i) => `${kind}-${index}-${i}`);
    const share =
      Math.round((viewers * (index + 1)) / loads.length) - Math.round((viewers * index) / loads.length);
    return {
      server,
      url: servers[server].address,
      streamId: streamIds[server],
      writers: await authsOf('admin', names(WRITERS, 'moderator')),
      auths: await authsOf('user', names(share - WRITERS, 'viewer')),
      atOnce: CONNECTED_AT_ONCE,
    };
  });
  const made = await Promise.all(orders);
  await callAll(stage, 'gather', (index) => made[index]);
}

/** The part of the other load generator may still be on its way. */
async function assertSameSeen(stage: Stage, server: ServerName): Promise<void> {
  const until = performance.now() + SEEN_PATIENCE_MS;
  for (;;) {
    const seen = await callAll<Seen>(stage, 'seen', () => server);
    if (new Set(seen.map(({ comments, digest }) => `${comments} ${digest}`)).size === 1) return;
    if (performance.now() > until) throw new Error(`Not everybody saw the same: ${JSON.stringify(seen)}`);
    await setTimeout(20);
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
