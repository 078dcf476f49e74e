import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAfterAll, closeAfterTest } from './cleanup.js';
import { TEST_SECRET } from './token.js';

const START_PATIENCE_MS = 30_000;

export interface RunningProcess {
  /** What it printed that matched, e.g. its address. */
  address: string;
  child: ChildProcess;
  /** Everything it printed so far. */
  output: () => string;
  /** Sends a signal and waits for the end; returns the exit code, null after a SIGKILL. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

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
  };
  return startProcess(['dist/main.js'], { ...env, ...variables }, /Samvad listens on (\S+)/);
}

/** The embedded database as its own process. */
export function startMongo(dir: string, port = 0): Promise<RunningProcess> {
  const args = ['packages/embedded-mongo/bin/embedded-mongo.js', '--dir', dir, '--port', String(port)];
  return startProcess(args, { PATH: process.env.PATH }, /(mongodb:\/\/\S+)/);
}

async function startProcess(args: string[], env: NodeJS.ProcessEnv, ready: RegExp): Promise<RunningProcess> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const address = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${output}`)), START_PATIENCE_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = ready.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code} before it was ready:\n${output}`));
    });
  });
  const ended = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  closeAfterTest(() => stop('SIGKILL'));
  return { address: await address, child, output: () => output, stop };
}
