// The load generator, a process of its own that the bench commands: see the methods at the end.
import { setTimeout } from 'node:timers/promises';
import { LightClient } from '../support/light-client.js';
import { keepPace } from '../support/pace.js';
import { serve } from '../support/rpc.js';
import { quantile, summarize } from '../support/statistics.js';
import type { ConnectOrder, LoadCount, LoadOrder, LoadResult, RequestOrder } from './load-orders.js';
import { Pair } from './pair.js';

const DRAIN_TIMEOUT_MS = 15_000;
const WARM_UP_REQUESTS = 30;

/** Pairs under load, until it is turned off. */
interface Run {
  readonly pairs: Pair[];
  isOn: boolean;
}

const pairs = new Map<string, Pair[]>();
const readers = new Map<string, LightClient>();
const latencies = { ack: [] as number[], delivery: [] as number[] };
let acked = 0;
/** The load of now, or the last one. */
let current: Run = { pairs: [], isOn: false };

const observer = {
  acked: (since: number): void => {
    acked += 1;
    latencies.ack.push(performance.now() - since);
  },
  delivered: (since: number): void => void latencies.delivery.push(performance.now() - since),
};

async function connectPairs({ server, url, people }: ConnectOrder): Promise<void> {
  const made: Pair[] = [];
  for (const { conversationId, sides } of people) {
    const [first, second] = sides;
    const [a, b] = [await LightClient.connect(url, first.auth), await LightClient.connect(url, second.auth)];
    made.push(
      new Pair(
        conversationId,
        [
          { ...first, client: a },
          { ...second, client: b },
        ],
        observer,
      ),
    );
  }
  pairs.set(server, made);
}

/** So many messages of each pair on their way, always: an ack brings the next. */
function keepInFlight(run: Run, pair: Pair, messages: number): void {
  const next = (): void => {
    if (run.isOn) pair.send(performance.now(), next);
  };
  for (let i = 0; i < messages; i += 1) next();
}

/** On a fixed schedule; a message's latency counts from when its turn was. */
function keepRate(run: Run, perSecond: number): void {
  let sent = 0;
  void keepPace(
    perSecond,
    () => run.isOn,
    (due) => run.pairs[sent++ % run.pairs.length]?.send(due),
  );
}

function start(order: LoadOrder): void {
  const run: Run = { pairs: pairs.get(order.server) ?? [], isOn: true };
  current = run;
  if ('inFlight' in order) for (const pair of run.pairs) keepInFlight(run, pair, order.inFlight);
  else keepRate(run, order.perSecond);
}

function count(): LoadCount {
  return { acked, at: performance.now() };
}

/** From here on latencies are kept. */
function begin(): LoadCount {
  latencies.ack = [];
  latencies.delivery = [];
  return count();
}

/** Stops sending and waits for what is under way: all of it must come. */
async function finish(): Promise<LoadResult> {
  current.isOn = false;
  const { pairs: all } = current;
  const inFlight = (): number => all.reduce((sum, pair) => sum + pair.inFlight, 0);
  for (const until = performance.now() + DRAIN_TIMEOUT_MS; inFlight() > 0; await setTimeout(5)) {
    if (performance.now() > until) throw new Error(`${inFlight()} messages did not arrive everywhere`);
  }
  const outOfOrder = all.reduce((sum, pair) => sum + pair.outOfOrder, 0);
  return { ack: summarize(latencies.ack), delivery: summarize(latencies.delivery), outOfOrder };
}

/** Sends the requests one after another, in turn, and says how long each took: the median in milliseconds. */
async function timeRequests({ url, requests, times }: RequestOrder): Promise<number[]> {
  const durations = requests.map((): number[] => []);
  for (let round = -WARM_UP_REQUESTS; round < times; round += 1) {
    for (const [index, { auth, event, payload }] of requests.entries()) {
      const key = JSON.stringify(auth);
      const client = readers.get(key) ?? (await LightClient.connect(url, auth));
      readers.set(key, client);
      const since = performance.now();
      const answer = await new Promise((resolve) => client.emit(event, payload, resolve));
      if (round >= 0) durations[index]?.push(performance.now() - since);
      if (!(answer as { ok: boolean }).ok) throw new Error(`${event}: ${JSON.stringify(answer)}`);
    }
  }
  return durations.map((values) => quantile(values, 0.5));
}

serve({ connectPairs, start, begin, count, finish, timeRequests });
process.channel?.ref();
process.once('SIGTERM', () => process.exit(0));
process.stdout.write('ready\n');
