import { quantile } from '../../../bench/support/statistics.js';
import { type SpawnedProcess, spawnUntilReady } from '../spawned.js';
import { FuzzServer } from './fuzz-server.js';
import { GoodClients } from './good-clients.js';

const GOOD_CLIENTS = 20;
const ATTACKERS = 50;
/** After the first messages, before anything is measured: code is compiled, caches are filled. */
const WARM_UP_SECONDS = 3;

export interface FuzzOptions {
  seed: number;
  /** Without the attack, and with it. */
  calmSeconds: number;
  attackSeconds: number;
  /** How long to wait at the most until the memory is back within so much of what it was. */
  patienceSeconds: number;
  memoryTolerance: number;
  tell?: (line: string) => void;
}

export interface FuzzReport {
  problems: string[];
  /** What the attackers sent, and the good clients. */
  attacks: number;
  messages: number;
  calmP99Ms: number;
  attackedP99Ms: number;
  memoryBefore: number;
  memoryAfter: number;
}

const during = (seconds: number): (() => boolean) => {
  const end = performance.now() + seconds * 1000;
  return () => performance.now() > end;
};

/** Lets 20 good clients talk, first alone, then while 50 attackers send garbage; and looks at what the server has left of it. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const server = await FuzzServer.start();
  let good: GoodClients | undefined;
  try {
    good = await GoodClients.connect(server.url, GOOD_CLIENTS);
    return await measure(server, good, options);
  } finally {
    good?.close();
    await server.close();
  }
}

async function measure(server: FuzzServer, good: GoodClients, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, calmSeconds, attackSeconds, tell = () => undefined } = options;
  await good.talk(during(WARM_UP_SECONDS));
  const calm = await good.talk(during(calmSeconds));
  const memoryBefore = await server.memory();
  tell(`${calm.length} messages in peace, p99 ${quantile(calm, 0.99).toFixed(1)} ms`);

  const attack = await startAttack(server.url, seed, attackSeconds, good.ids);
  const hasEnded = during(attackSeconds);
  const attacked = await good.talk(hasEnded);
  const attacks = Number((await attack.ended).replace('sent ', ''));
  tell(`${attacked.length} messages under attack, p99 ${quantile(attacked, 0.99).toFixed(1)} ms`);

  const problems = [...(await good.verify()), ...server.faults];
  const memoryAfter = problems.length > 0 ? Number.NaN : await settledMemory(server, memoryBefore, options);
  return {
    problems: [...problems, ...server.faults.filter((fault) => !problems.includes(fault))],
    attacks,
    messages: good.messages,
    calmP99Ms: quantile(calm, 0.99),
    attackedP99Ms: quantile(attacked, 0.99),
    memoryBefore,
    memoryAfter,
  };
}

async function startAttack(url: string, seed: number, seconds: number, ids: string[]) {
  const args = [url, seed, ATTACKERS, seconds, ids.join(',')].map(String);
  const program = [process.execPath, 'build/test/support/fuzz/attack.js', ...args];
  const env = { PATH: process.env.PATH };
  const running = spawnUntilReady(program as [string, ...string[]], env, /(attacking)/);
  const attack: SpawnedProcess = await running;
  const ended = new Promise<string>((resolve) => {
    attack.child.once('exit', () => resolve(/sent \d+/.exec(attack.output())?.[0] ?? 'sent 0'));
  });
  return { ended };
}

/** Connections that vanished are found out by their pings, and counters lapse within a minute. */
async function settledMemory(server: FuzzServer, before: number, options: FuzzOptions): Promise<number> {
  const isOver = during(options.patienceSeconds);
  let memory = await server.memory();
  while (memory > before * (1 + options.memoryTolerance) && !isOver()) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    memory = await server.memory();
  }
  return memory;
}
