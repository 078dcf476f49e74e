import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Remote } from './rpc.js';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 6000;
const PROBE = new URL('probe.js', import.meta.url).href;

/** A program under measurement, as a process of its own. */
export interface MeasuredProcess {
  /** What it printed when it was ready, e.g. its address. */
  address: string;
  remote: Remote;
}

/** Microseconds of CPU time so far; NaN of a process that is not ours to measure. */
export async function cpuOf(one: MeasuredProcess | undefined): Promise<number> {
  return one === undefined ? Number.NaN : one.remote.call<number>('cpu');
}

/** All processes and folders of a bench. `close` ends and removes them; a signal closes, too. */
export class Processes {
  private readonly children: ChildProcess[] = [];
  private readonly closers: (() => Promise<unknown>)[] = [];
  /** Everything temporary is below it; it is also where the processes run, so that no `.env` reaches them. */
  readonly folder = mkdtempSync(join(tmpdir(), 'samvad-bench-'));

  constructor() {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.once(signal, () => void this.close().finally(() => process.exit(code)));
    }
  }

  /** @param ready finds in what the program prints that it is ready, and where */
  async start(
    name: string,
    args: string[],
    ready: RegExp,
    variables: Record<string, string> = {},
  ): Promise<MeasuredProcess> {
    const child = spawn(process.execPath, ['--import', PROBE, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...variables },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.children.push(child);
    return { address: await addressOf(child, name, ready), remote: new Remote(child, name) };
  }

  /** `closer` is called before the processes end. */
  onClose(closer: () => Promise<unknown>): void {
    this.closers.push(closer);
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0).toReversed())
      await close().catch((error: Error) => process.stderr.write(`${error.message}\n`));
    // The last started first: servers before their database.
    for (const child of this.children.splice(0).toReversed()) await end(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function addressOf(child: ChildProcess, name: string, ready: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string): void => reject(new Error(`${name} ${why}:\n${output}`));
    const timer = setTimeout(() => fail('was not ready in time'), START_TIMEOUT_MS);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended with ${code ?? signal} before it was ready`);
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      if (output.length < 10_000) output += chunk.toString();
      const found = ready.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
}
