import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeAfterAll } from './cleanup.js';
import { freePort } from './free-port.js';
import { temporaryFolder } from './processes.js';

export interface RunningRedis {
  url: string;
  port: number;
  child: ChildProcess;
  /** Ends it without a word and waits for the end. */
  kill: () => Promise<void>;
}

/** A Redis of the test's own, which keeps nothing on disk; gone after the file's last test. */
export async function startRedis(wantedPort?: number): Promise<RunningRedis> {
  const port = wantedPort ?? (await freePort());
  const dir = await temporaryFolder();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  };
  closeAfterAll(kill);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server did not start:\n${output}`)));
  });
  return { url: `redis://127.0.0.1:${port}`, port, child, kill };
}
