import { parseArgs } from 'node:util';
import { Cluster } from './cluster.js';
import { newSeed } from './random.js';
import { Soak } from './run-soak.js';

const USAGE = 'usage: npm run soak -- [--minutes 5] [--nodes 1]    environment: RANDOM_SEED, REDIS_URL';
const BETWEEN_KILLS_MS = 15_000;
/** What a restart takes, roughly. */
const RESTART_MS = 3000;
const PROGRESS_EVERY_MS = 5000;
const SHOWN_PROBLEMS = 100;

/** What fails because it was ended is no failure. */
let isEnding = false;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

function readOptions(): { minutes: number; nodes: number } {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, nodes: { type: 'string' } } });
  const [minutes, nodes] = [Number(values.minutes ?? 5), Number(values.nodes ?? 1)];
  if (!(minutes > 0 && minutes <= 10_000)) throw new RangeError('--minutes must be a number above 0');
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 5) throw new RangeError('--nodes must be 1 to 5');
  return { minutes, nodes };
}

async function soak({ minutes, nodes }: { minutes: number; nodes: number }): Promise<number> {
  const seed = newSeed();
  const cluster = await Cluster.start(nodes, process.env.REDIS_URL || undefined);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    isEnding = true;
    print(`${signal}: ending what was started`);
    await cluster.close();
    process.exit(130);
  };
  process.once('SIGINT', (signal) => void end(signal));
  process.once('SIGTERM', (signal) => void end(signal));
  try {
    const kills = Math.max(3, Math.floor((minutes * 60_000) / (BETWEEN_KILLS_MS + RESTART_MS)) - 1);
    const betweenKillsMs = Math.max((minutes * 60_000) / (kills + 1) - RESTART_MS, 1000);
    print(`${minutes} min, ${nodes} node(s), ${kills} kills, RANDOM_SEED=${seed}`);
    const run = new Soak(cluster, { seed, kills, betweenKillsMs, actEveryMs: 300, tell: print });
    const telling = setInterval(() => print(run.progress), PROGRESS_EVERY_MS);
    const report = await run.run().finally(() => clearInterval(telling));
    for (const problem of report.problems.slice(0, SHOWN_PROBLEMS)) print(`WRONG ${problem}`);
    const { problems, acked, drops, connects } = report;
    print(`${acked} messages, ${drops} drops, ${report.kills} kills, ${connects} connections`);
    print(problems.length === 0 ? 'Everything arrived once, in order.' : `${problems.length} problems`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await cluster.close();
  }
}

try {
  process.exitCode = await soak(readOptions());
} catch (error) {
  if (!isEnding) process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 1;
}
