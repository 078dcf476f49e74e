import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAfterAll, closeAfterTest } from './cleanup.js';
import { type SpawnedProcess, spawnUntilReady } from './spawned.js';
import { TEST_SECRET } from './token.js';

export type RunningProcess = SpawnedProcess;

/** A folder that is gone after the file's last test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'samvad-test-'));
  closeAfterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The built server as its own process, on a free port (or `PORT`), with its embedded database in `dataDir`. */
export function startServer(
  dataDir: string,
  variables: Record<string, string> = {},
): Promise<RunningProcess> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    JWT_SECRET: TEST_SECRET,
    // Tests are faster than people.
    RATE_LIMITS: 'off',
    MAX_SOCKETS_PER_IDENTITY: '1000',
  };
  return startProcess(['dist/main.js'], { ...env, ...variables }, /Samvad listens on (\S+)/);
}

/** The embedded database as its own process. */
export function startMongo(dir: string, port = 0): Promise<RunningProcess> {
  const args = ['packages/embedded-mongo/bin/embedded-mongo.js', '--dir', dir, '--port', String(port)];
  return startProcess(args, { PATH: process.env.PATH }, /(mongodb:\/\/\S+)/);
}

function startProcess(args: string[], env: NodeJS.ProcessEnv, ready: RegExp): Promise<RunningProcess> {
  return spawnUntilReady([process.execPath, ...args], env, ready, (stop) =>
    closeAfterTest(() => stop('SIGKILL')),
  );
}
