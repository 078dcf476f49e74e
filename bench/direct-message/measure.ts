import { setTimeout } from 'node:timers/promises';
import { cpuOf, type MeasuredProcess } from '../support/processes.js';
import type { ServerName } from '../support/servers.js';
import type { LoadCount, LoadOrder, LoadResult } from './load-orders.js';
import type { Stage } from './stage.js';

/** What one server did under one load. */
export interface Measured extends LoadResult {
  perSecond: number;
  /** CPU time of each process for a message, microseconds. */
  cost: { server: number; database: number; load: number };
}

/** Puts a load on a server, lets it warm up, and measures. */
export async function measure(
  { servers, load, database }: Stage,
  order: LoadOrder & { server: ServerName },
  { warmUpSeconds, seconds }: { warmUpSeconds: number; seconds: number },
  during?: (server: MeasuredProcess, act: () => Promise<void>) => Promise<void>,
): Promise<Measured> {
  const server = servers[order.server];
  const cpu = (): Promise<number[]> => Promise.all([server, database, load].map(cpuOf));
  await load.remote.call('start', order);
  await setTimeout(warmUpSeconds * 1000);
  const [before, cpuBefore] = await Promise.all([load.remote.call<LoadCount>('begin'), cpu()]);
  const wait = (): Promise<void> => setTimeout(seconds * 1000);
  await (during === undefined ? wait() : during(server, wait));
  const [after, cpuAfter] = await Promise.all([load.remote.call<LoadCount>('count'), cpu()]);
  const result = await load.remote.call<LoadResult>('finish');

  const messages = after.acked - before.acked;
  if (order.server === 'ours' && result.outOfOrder > 0)
    throw new Error(`Messages came out of order ${result.outOfOrder} times`);
  const [serverCost = 0, databaseCost = 0, loadCost = 0] = cpuAfter.map(
    (value, index) => (value - (cpuBefore[index] ?? 0)) / messages,
  );
  const cost = { server: serverCost, database: databaseCost, load: loadCost };
  return { ...result, perSecond: (messages * 1000) / (after.at - before.at), cost };
}
