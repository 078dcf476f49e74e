import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const START_PATIENCE_MS = 30_000;

export interface SpawnedProcess {
  /** What it printed that matched, e.g. its address. */
  address: string;
  child: ChildProcess;
  /** Everything it printed so far. */
  output: () => string;
  /** Sends a signal, SIGTERM by default, and waits for the end; returns the exit code, null after a SIGKILL. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/**
 * Starts a program and waits until it prints what `ready` matches, for 30 s at the most.
 * @param spawning is told of the process before it is ready, so that it can be ended whatever happens
 */
export async function spawnUntilReady(
  [command, ...args]: [string, ...string[]],
  env: NodeJS.ProcessEnv,
  ready: RegExp,
  spawning: (stop: SpawnedProcess['stop']) => void = () => {},
): Promise<SpawnedProcess> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
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
  spawning(stop);
  return { address: await address, child, output: () => output, stop };
}
