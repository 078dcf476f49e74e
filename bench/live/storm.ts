import { setTimeout } from 'node:timers/promises';
import { alternate } from '../support/alternate.js';
import { cpuOf, type MeasuredProcess } from '../support/processes.js';
import { printComparisons } from '../support/report.js';
import { compare, figuresOf } from '../support/rounds.js';
import { type ServerName, SERVERS } from '../support/servers.js';
import { median } from '../support/statistics.js';
import type { CrowdOrder } from './load-orders.js';
import type { Options } from './options.js';
import { authsOf, callAll, type Stage } from './stage.js';

/** So many at a time, of each load generator. */
const JOINING_AT_ONCE = 50;
/** What a server does of joins after it has answered counts, too. */
const TAIL_MS = 1500;
/** What it does of those who have gone, which comes later, does not. */
const REST_MS = 12_000;

interface Measured {
  joinsPerSecond: number;
  /** CPU time for one who connects and joins, microseconds. */
  cost: number;
}

/** People whom the servers never saw connect and join, many at a time. Returns what one costs each server, microseconds. */
export async function compareJoins(stage: Stage, options: Options): Promise<Record<ServerName, number>> {
  const { rounds, joins } = options;
  const run = (server: ServerName): Promise<Measured> => storm(stage, server, joins);
  // Not counted: the code becomes fast.
  await alternate(SERVERS, 1, run);
  const results = await alternate(SERVERS, rounds, run);
  printComparisons(
    `${joins} people connect and join, ${JOINING_AT_ONCE * stage.loads.length} at a time; ${rounds} ×`,
    [
      compare('server, CPU µs per join', results, ({ cost }) => cost, { atMost: 1.5 }),
      compare('joins per second', results, ({ joinsPerSecond }) => joinsPerSecond),
    ],
  );
  const costs = figuresOf(results, ({ cost }) => cost);
  return { ours: median(costs.ours), bare: median(costs.bare) };
}

let storms = 0;

/** @param during what is done with the server meanwhile, e.g. profiling */
export async function storm(
  stage: Stage,
  server: ServerName,
  joins: number,
  during: (server: MeasuredProcess, act: () => Promise<void>) => Promise<void> = (_, act) => act(),
): Promise<Measured> {
  const { loads, servers, streamIds } = stage;
  storms += 1;
  const share = Math.ceil(joins / loads.length);
  const orders = await Promise.all(
    loads.map(async (_, index): Promise<CrowdOrder> => {
      const ids = Array.from({ length: share }, (__, i) => `storm-${storms}-${index}-${i}`);
      const [url, streamId] = [servers[server].address, streamIds[server]];
      return { url, streamId, auths: await authsOf('user', ids), atOnce: JOINING_AT_ONCE };
    }),
  );
  let milliseconds = 0;
  let cost = 0;
  await during(servers[server], async () => {
    const [cpu, at] = [await cpuOf(servers[server]), performance.now()];
    await callAll(stage, 'storm', (index) => orders[index]);
    milliseconds = performance.now() - at;
    await setTimeout(TAIL_MS);
    cost = ((await cpuOf(servers[server])) - cpu) / (share * loads.length);
  });
  await callAll(stage, 'endStorm', () => undefined);
  if (server === 'ours') await setTimeout(REST_MS);
  return { joinsPerSecond: (share * loads.length * 1000) / milliseconds, cost };
}
