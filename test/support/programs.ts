import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeAfterTest } from './cleanup.js';

export interface ProgramResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a Node program of the built tree to its end, with nothing in its environment but PATH and `variables`. It is a process group of
 * its own, so that a test that gives up leaves nothing behind.
 */
export async function runProgram(args: string[], variables: Record<string, string>): Promise<ProgramResult> {
  const env = { PATH: process.env.PATH, ...variables };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  closeAfterTest(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
