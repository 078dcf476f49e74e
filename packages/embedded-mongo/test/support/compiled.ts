import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const packageDir = join(import.meta.dirname, '..', '..');

/** The package as JavaScript, for tests that need a process to kill. `remove` deletes it. */
export function compilePackage(): { entry: string; remove(): void } {
  const dist = join(packageDir, 'dist');
  mkdirSync(dist, { recursive: true });
  const outDir = mkdtempSync(join(dist, 'test-'));
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const flags = ['--outDir', outDir, '--declaration', 'false', '--sourceMap', 'false', '--noCheck'];
  execFileSync(process.execPath, [compiler, '-p', join(packageDir, 'tsconfig.json'), ...flags]);
  return { entry: join(outDir, 'index.js'), remove: () => rmSync(outDir, { recursive: true, force: true }) };
}

/** Starts a server in a process of its own over that folder; resolves with its URI. */
export async function spawnServer(entry: string, dir: string): Promise<{ child: ChildProcess; uri: string }> {
  const script = `
    import { startEmbeddedMongo } from ${JSON.stringify(entry)};
    console.log((await startEmbeddedMongo({ dir: process.argv[1] })).uri);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const uri of createInterface({ input: child.stdout })) return { child, uri };
  throw new Error('the server did not start');
}

export function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
