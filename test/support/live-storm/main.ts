import { parseArgs } from 'node:util';
import { Processes } from '../../../bench/support/processes.js';
import { openDatabases, startOurs } from '../../../bench/support/servers.js';
import { tokenFor } from '../../../bench/support/tokens.js';
import { floodWithComments } from './comment-flood.js';
import { LiveStorm, type StormPlace } from './live-storm.js';

const USAGE = `npm run storm:live -- [options]
  --viewers N        who join at once, and of whom half vanish then; 2,000 unless told
  --flooded N        who get comments; 500 unless told
  --per-second N     comments a second; 50 unless told
  --seconds N        for how long; 20 unless told
MONGODB_URI names a MongoDB to use instead of the embedded one; a database is made there, and dropped.
`;
const MAX_JOIN_MS = 5000;
const JOINING_AT_ONCE = 300;
/** Of the server, from before the comments to after them: what waits for one who does not read is bounded. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;
/** Files that a process has open beside its connections. */
const OTHER_FILES = 200;

interface Options {
  viewers: number;
  flooded: number;
  perSecond: number;
  seconds: number;
}

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const inMiB = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

function readOptions(): Options {
  const type = 'string';
  const { values } = parseArgs({
    options: {
      viewers: { type, default: '2000' },
      flooded: { type, default: '500' },
      'per-second': { type, default: '50' },
      seconds: { type, default: '20' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    print(USAGE);
    process.exit(0);
  }
  const read = (name: Exclude<keyof typeof values, 'help'>): number => {
    const value = Number(values[name]);
    if (value >= 1) return value;
    throw new RangeError(`--${name} must be 1 or more`);
  };
  return {
    viewers: Math.floor(read('viewers')),
    flooded: Math.floor(read('flooded')),
    perSecond: read('per-second'),
    seconds: read('seconds'),
  };
}

/** @throws when the system lets a process have too few connections */
function assertEnoughFiles(connections: number): void {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: string } } };
  const most = Number(userLimits?.open_files?.soft);
  if (most < connections + OTHER_FILES)
    throw new Error(`A process may have ${most} open files, too few: ulimit -n ${connections + OTHER_FILES}`);
}

async function stormOfJoins(place: StormPlace, viewers: number): Promise<string[]> {
  const storm = await LiveStorm.begin(place);
  try {
    const milliseconds = await storm.join(viewers, JOINING_AT_ONCE);
    if (milliseconds > MAX_JOIN_MS) storm.problems.push(`Joining took ${milliseconds.toFixed(0)} ms`);
    await storm.countBecomes(viewers);
    const frames = storm.checkFrames();
    print(`${viewers} joined within ${milliseconds.toFixed(0)} ms, for ${frames.toFixed(1)} frames each.`);
    const gone = await storm.loseHalf();
    print(`Half of them vanished; the count was right again after ${(gone / 1000).toFixed(1)} s.`);
    storm.checkCounts();
    await storm.checkGoesOn();
    await storm.end();
  } finally {
    storm.close();
  }
  return storm.problems;
}

async function floodOfComments(
  place: StormPlace,
  { flooded, perSecond, seconds }: Options,
  memory: () => Promise<number>,
): Promise<string[]> {
  const storm = await LiveStorm.begin(place);
  try {
    await storm.join(flooded, JOINING_AT_ONCE);
    await storm.joinStalled();
    await storm.countBecomes(flooded + 1);
    // Not counted: the code becomes fast, and buffers are made.
    await floodWithComments(storm, { comments: perSecond, perSecond });
    const before = await memory();
    const { p50, p99 } = await floodWithComments(storm, { comments: perSecond * seconds, perSecond });
    const growth = (await memory()) - before;
    print(
      `${perSecond * seconds} comments to ${flooded} viewers, ${perSecond} a second, one stalled viewer among them.`,
    );
    print(`Everybody else had one after ${p50.toFixed(0)} ms (p50), ${p99.toFixed(0)} ms (p99).`);
    print(`The server's memory: ${inMiB(before)}, and ${inMiB(growth)} more after them.`);
    if (growth > MAX_GROWTH_BYTES) storm.problems.push(`The server's memory grew by ${inMiB(growth)}`);
    await storm.checkGoesOn(1);
    await storm.end();
  } finally {
    storm.close();
  }
  return storm.problems;
}

async function run(processes: Processes, options: Options): Promise<void> {
  assertEnoughFiles(Math.max(options.viewers, options.flooded));
  const databases = await openDatabases(processes, process.env.MONGODB_URI || undefined);
  const server = await startOurs(processes, databases);
  const authOf: StormPlace['authOf'] = async ({ id, type }) => ({ token: await tokenFor(type, id, 'Asha') });
  const place = { url: server.address, authOf };
  const problems = await stormOfJoins(place, options.viewers);
  problems.push(...(await floodOfComments(place, options, () => server.remote.call<number>('memory'))));
  for (const problem of problems.slice(0, 20)) print(`WRONG ${problem}`);
  print(problems.length === 0 ? 'All is as it should be.' : `${problems.length} problems`);
  if (problems.length > 0) process.exitCode = 1;
}

try {
  const options = readOptions();
  const processes = new Processes();
  try {
    await run(processes, options);
  } finally {
    await processes.close();
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 1;
}
