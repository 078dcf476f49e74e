// A load generator, a process of its own that the bench commands: see the methods at the end.
import { setTimeout } from 'node:timers/promises';
import type { LightClient } from '../support/light-client.js';
import { keepPace } from '../support/pace.js';
import { serve } from '../support/rpc.js';
import { summarize } from '../support/statistics.js';
import { Audience } from './audience.js';
import { joinAll } from './crowd.js';
import type { AudienceOrder, CrowdOrder, FloodCount, FloodOrder, FloodResult, Seen } from './load-orders.js';

const DRAIN_TIMEOUT_MS = 15_000;

const audiences = new Map<string, Audience>();
let crowd: LightClient[] = [];
let latencies: number[] = [];
/** The flood of now, or the last one. */
let current = { isOn: false };

function audienceOf(server: string): Audience {
  const audience = audiences.get(server);
  if (audience === undefined) throw new Error(`Nobody watches on the server ${server}.`);
  return audience;
}

async function gather(order: AudienceOrder): Promise<void> {
  audiences.set(order.server, await Audience.join(order, (milliseconds) => latencies.push(milliseconds)));
}

function dismiss(server: string): void {
  audienceOf(server).close();
  audiences.delete(server);
}

function start({ server, perSecond }: FloodOrder): void {
  const audience = audienceOf(server);
  const run = { isOn: true };
  current = run;
  const isOn = (): boolean => run.isOn;
  if (perSecond !== undefined) void keepPace(perSecond, isOn, (due) => audience.comment(due));
  else for (let i = 0; i < audience.writerCount; i += 1) next();

  function next(): void {
    if (run.isOn) audience.comment(performance.now(), next);
  }
}

function count(server: string): FloodCount {
  return { deliveries: audienceOf(server).deliveries, at: performance.now() };
}

/** From here on latencies are kept. */
function begin(server: string): FloodCount {
  latencies = [];
  return count(server);
}

/** Stops writing, and waits until the own comments are everywhere here. */
async function finish(server: string): Promise<FloodResult> {
  current.isOn = false;
  const audience = audienceOf(server);
  for (const until = performance.now() + DRAIN_TIMEOUT_MS; audience.inFlight > 0; await setTimeout(5)) {
    if (performance.now() > until) throw new Error(`${audience.inFlight} comments did not arrive everywhere`);
  }
  return { everywhere: summarize(latencies), bytes: audience.bytes };
}

function seen(server: string): Seen {
  return audienceOf(server).seen;
}

/** People who come all at once; resolves when they have joined. */
async function storm(order: CrowdOrder): Promise<void> {
  crowd = await joinAll(order);
}

function endStorm(): void {
  for (const client of crowd) client.close();
  crowd = [];
}

serve({ gather, dismiss, start, count, begin, finish, seen, storm, endStorm });
process.channel?.ref();
process.once('SIGTERM', () => process.exit(0));
process.stdout.write('ready\n');
