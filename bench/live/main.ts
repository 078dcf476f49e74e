import { join } from 'node:path';
import { type MeasuredProcess, Processes } from '../support/processes.js';
import { timeSpent } from '../support/profile.js';
import { print, printMachine, printTimeSpent } from '../support/report.js';
import { type ServerName, SERVERS } from '../support/servers.js';
import { compareFanOut, dismiss, flood } from './fan-out.js';
import { type Options, readOptions } from './options.js';
import { setStage, type Stage } from './stage.js';
import { compareJoins, storm } from './storm.js';

type Costs = Record<ServerName, number>;
type Profiled = (server: MeasuredProcess, act: () => Promise<void>) => Promise<void>;

/** Where the time goes, while `work` runs on each server. */
async function showTimeSpent(
  { keptProfiles }: Options,
  folder: string,
  what: string,
  costs: Costs,
  work: (server: ServerName, during: Profiled) => Promise<unknown>,
): Promise<void> {
  for (const server of SERVERS) {
    const file = join(keptProfiles ?? folder, `live-${what}-${server}.cpuprofile`);
    await work(server, async ({ remote }, act) => {
      await remote.call('startProfile');
      await act();
      await remote.call('stopProfile', file);
    });
    const spent = timeSpent(file);
    const title = `${what}: where ${server === 'ours' ? 'our' : 'the bare'} server’s time goes`;
    printTimeSpent(title, keptProfiles ? spent : { ...spent, functions: [] }, costs[server], what);
    if (keptProfiles) print(`  ${file}`);
  }
}

async function run(processes: Processes, options: Options): Promise<void> {
  const uri = process.env.MONGODB_URI || undefined;
  printMachine();
  print(uri === undefined ? 'Database: embedded, durable' : 'Database: the MongoDB of MONGODB_URI');
  const stage = await setStage(processes, uri);
  if (options.only !== 'joins') await measureFanOut(stage, options, processes.folder);
  if (options.only !== 'fan-out') await measureJoins(stage, options, processes.folder);
}

async function measureFanOut(stage: Stage, options: Options, folder: string): Promise<void> {
  for (const [index, viewers] of options.audiences.entries()) {
    const costs = await compareFanOut(stage, viewers, options);
    if (index === 0)
      await showTimeSpent(options, folder, 'delivery', costs, (server, during) =>
        flood(stage, { server }, options, during),
      );
    await dismiss(stage);
  }
  print('  Every comment reached every viewer once, and all in the same order.');
}

async function measureJoins(stage: Stage, options: Options, folder: string): Promise<void> {
  const costs = await compareJoins(stage, options);
  await showTimeSpent(options, folder, 'join', costs, (server, during) =>
    storm(stage, server, options.joins, during),
  );
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
