import { join } from 'node:path';
import { Processes } from '../support/processes.js';
import { timeSpent } from '../support/profile.js';
import { print, printMachine, printTimeSpent } from '../support/report.js';
import { type ServerName, SERVERS } from '../support/servers.js';
import { compareLatency, compareThroughput } from './compare.js';
import { measureHistory } from './history.js';
import { measure } from './measure.js';
import { type Options, readOptions } from './options.js';
import { makePair, setStage, type Stage } from './stage.js';

async function connectPairs({ servers, load }: Stage, count: number): Promise<void> {
  for (const server of SERVERS) {
    const names = Array.from({ length: count }, (_, index) => String(index));
    const people = await Promise.all(names.map((name) => makePair(server, name)));
    await load.remote.call('connectPairs', { server, url: servers[server].address, people });
  }
}

async function showTimeSpent(
  stage: Stage,
  options: Options,
  costs: Record<ServerName, number>,
  folder: string,
): Promise<void> {
  for (const server of SERVERS) {
    const file = join(options.keptProfiles ?? folder, `${server}.cpuprofile`);
    const times = { ...options, seconds: options.profileSeconds };
    await measure(stage, { server, inFlight: options.inFlight }, times, async ({ remote }, wait) => {
      await remote.call('startProfile');
      await wait();
      await remote.call('stopProfile', file);
    });
    const spent = timeSpent(file);
    const title = server === 'ours' ? 'Where our server’s time goes' : 'Where the bare server’s time goes';
    printTimeSpent(title, options.keptProfiles ? spent : { ...spent, functions: [] }, costs[server]);
    if (options.keptProfiles) print(`  ${file}`);
  }
}

async function run(processes: Processes, options: Options): Promise<void> {
  const uri = process.env.MONGODB_URI || undefined;
  printMachine();
  print(uri === undefined ? 'Database: embedded, durable' : 'Database: the MongoDB of MONGODB_URI');
  const stage = await setStage(processes, uri);
  await connectPairs(stage, options.pairs);
  const costs = await compareThroughput(stage, options);
  await compareLatency(stage, options);
  await showTimeSpent(stage, options, costs, processes.folder);
  await measureHistory(stage, options);
}

try {
  const options = readOptions(process.argv.slice(2));
  const processes = new Processes();
  try {
    await run(processes, options);
  } finally {
    await processes.close();
  }
} catch (error) {
  process.stderr.write(`\nThe bench failed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
