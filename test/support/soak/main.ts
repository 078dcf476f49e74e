import { parseArgs } from 'node:util';
import { chatDriver } from './chat-driver.js';
import { Cluster } from './cluster.js';
import { directDriver } from './direct-driver.js';
import type { SoakDriver } from './driver.js';
import { newSeed } from './random.js';
import { Soak } from './run-soak.js';

const USAGE =
  'usage: npm run soak -- [--over dm|chat] [--minutes 5] [--nodes 1] [--kill-every 15] [--drop-every 200] [--act-every 300] [--in-flight 4]\n' +
  '  kills in seconds, drops and what each device does in milliseconds, messages in flight for each device\n' +
  '  environment: RANDOM_SEED, REDIS_URL';
/** What a restart takes, roughly. */
const RESTART_MS = 3000;
const PROGRESS_EVERY_MS = 5000;
const SHOWN_PROBLEMS = 100;

/** What fails because it was ended is no failure. */
let isEnding = false;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
/** With the time, to be found in the traces. */
const tell = (line: string): boolean => print(`${new Date().toISOString().slice(11, 23)} ${line}`);

const DRIVERS = new Map<string, SoakDriver>([
  ['dm', directDriver],
  ['chat', chatDriver],
]);

interface Options {
  driver: SoakDriver;
  minutes: number;
  nodes: number;
  killEverySeconds: number;
  load: { dropEveryMs: number; actEveryMs: number; maxUnacked: number };
}

function readOptions(): Options {
  const type = 'string';
  const { values } = parseArgs({
    options: {
      over: { type, default: 'dm' },
      minutes: { type, default: '5' },
      nodes: { type, default: '1' },
      'kill-every': { type, default: '15' },
      'drop-every': { type, default: '200' },
      'act-every': { type, default: '300' },
      'in-flight': { type, default: '4' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    print(USAGE);
    process.exit(0);
  }
  const read = (name: Exclude<keyof typeof values, 'help' | 'over'>, least: number, most: number): number => {
    const value = Number(values[name]);
    if (value >= least && value <= most) return value;
    throw new RangeError(`--${name} must be ${least} to ${most}`);
  };
  const driver = DRIVERS.get(values.over);
  if (driver === undefined) throw new RangeError('--over must be dm or chat');
  return {
    driver,
    minutes: read('minutes', 0.1, 10_000),
    nodes: Math.floor(read('nodes', 1, 5)),
    killEverySeconds: read('kill-every', 1, 3600),
    load: {
      dropEveryMs: read('drop-every', 1, 3_600_000),
      actEveryMs: read('act-every', 1, 3_600_000),
      maxUnacked: read('in-flight', 1, 1000),
    },
  };
}

async function soak({ driver, minutes, nodes, killEverySeconds, load }: Options): Promise<number> {
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
    const kills = Math.max(3, Math.floor((minutes * 60_000) / (killEverySeconds * 1000 + RESTART_MS)) - 1);
    const betweenKillsMs = Math.max((minutes * 60_000) / (kills + 1) - RESTART_MS, 1000);
    print(`${minutes} min, ${nodes} node(s), ${kills} kills, RANDOM_SEED=${seed}`);
    const run = await Soak.prepare(driver, cluster, { seed, kills, betweenKillsMs, ...load, tell });
    const telling = setInterval(() => tell(run.progress), PROGRESS_EVERY_MS);
    const report = await run.run().finally(() => clearInterval(telling));
    for (const problem of report.problems.slice(0, SHOWN_PROBLEMS)) print(`WRONG ${problem}`);
    const { problems, acked, overtaken, drops, connects } = report;
    for (const trace of overtaken.slice(0, SHOWN_PROBLEMS)) print(`overtaken, with reason: ${trace}`);
    if (problems.length > 0 || overtaken.length > 0)
      for (const line of cluster.logged.slice(-SHOWN_PROBLEMS)) print(`logged: ${line}`);
    print(
      `${acked} messages, ${overtaken.length} overtaken, ${drops} drops, ${report.kills} kills, ${connects} connections`,
    );
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
