import { alternate } from '../support/alternate.js';
import { print, printComparisons } from '../support/report.js';
import { compare, figuresOf } from '../support/rounds.js';
import { type ServerName, SERVERS } from '../support/servers.js';
import { median } from '../support/statistics.js';
import { type Measured, measure } from './measure.js';
import type { Options } from './options.js';
import type { Stage } from './stage.js';

const RATE = 300;

/** As fast as they can. Returns what a message costs each server, microseconds. */
export async function compareThroughput(stage: Stage, options: Options): Promise<Record<ServerName, number>> {
  const { pairs, inFlight, rounds, seconds } = options;
  const run = (server: ServerName): Promise<Measured> => measure(stage, { server, inFlight }, options);
  // Not counted: the code becomes fast, and both databases grow beyond nothing.
  await alternate(SERVERS, 1, run);
  const results = await alternate(SERVERS, rounds, run);
  const title = `${pairs} pairs, ${inFlight} in flight each; ${rounds} × ${seconds} s`;
  const costs = figuresOf(results, ({ cost }) => cost.server);
  printComparisons(title, [
    compare('messages per second', results, ({ perSecond }) => perSecond, { atLeast: 2 }),
    compare('server, CPU µs per message', results, ({ cost }) => cost.server, { atMost: 0.7 }),
    compare('database, CPU µs per message', results, ({ cost }) => cost.database),
    compare('load generator, CPU µs per message', results, ({ cost }) => cost.load),
    compare('ack, p50 ms', results, ({ ack }) => ack.p50),
    compare('ack, p99 ms', results, ({ ack }) => ack.p99),
    compare('delivery, p50 ms', results, ({ delivery }) => delivery.p50),
    compare('delivery, p99 ms', results, ({ delivery }) => delivery.p99),
  ]);
  const outOfOrder = results.at(-1)?.bare.outOfOrder ?? 0;
  print(
    `  Every message was acknowledged once, and received once by both; ours all in order, bare ${outOfOrder} out of order.`,
  );
  return { ours: median(costs.ours), bare: median(costs.bare) };
}

/** At a rate that both can bear, on a fixed schedule. */
export async function compareLatency(stage: Stage, options: Options): Promise<void> {
  const { rounds, seconds } = options;
  const results = await alternate(SERVERS, rounds, (server) =>
    measure(stage, { server, perSecond: RATE }, options),
  );
  printComparisons(`${RATE} messages per second; ${rounds} × ${seconds} s`, [
    compare('ack, p50 ms', results, ({ ack }) => ack.p50),
    compare('ack, p99 ms', results, ({ ack }) => ack.p99, { atMost: 1 }),
    compare('delivery, p50 ms', results, ({ delivery }) => delivery.p50),
    compare('delivery, p99 ms', results, ({ delivery }) => delivery.p99, { atMost: 1 }),
    compare('server, CPU µs per message', results, ({ cost }) => cost.server),
    compare('database, CPU µs per message', results, ({ cost }) => cost.database),
  ]);
}
