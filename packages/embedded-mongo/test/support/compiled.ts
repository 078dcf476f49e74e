import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const packageDir = join(import.meta.dirname, '..', '..');

export interface CompiledPackage {
  /** dist/index.js and bin/embedded-mongo.js of the copy. */
  readonly entry: string;
  readonly bin: string;
  remove(): void;
}

/** A copy of the package as JavaScript, for tests that need a process to kill. */
export function compilePackage(): CompiledPackage {
  const ignored = join(packageDir, 'dist');
  mkdirSync(ignored, { recursive: true });
  const root = mkdtempSync(join(ignored, 'test-'));
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const flags = [
    '--outDir',
    join(root, 'dist'),
    '--declaration',
    'false',
    '--sourceMap',
    'false',
    '--noCheck',
  ];
  execFileSync(process.execPath, [compiler, '-p', join(packageDir, 'tsconfig.json'), ...flags]);
  cpSync(join(packageDir, 'bin'), join(root, 'bin'), { recursive: true });
  return {
    entry: join(root, 'dist', 'index.js'),
    bin: join(root, 'bin', 'embedded-mongo.js'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Starts a server in a process of its own over that folder; resolves with its URI. */
export async function spawnServer(
  entry: string,
  dir: string,
  { durable = true } = {},
): Promise<{ child: ChildProcess; uri: string }> {
  const script = `
    import { startEmbeddedMongo } from ${JSON.stringify(entry)};
    console.log((await startEmbeddedMongo({ dir: process.argv[1], durable: ${durable} })).uri);
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
