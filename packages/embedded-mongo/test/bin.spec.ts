import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { compilePackage, type CompiledPackage } from './support/compiled.js';

let dir: string;
let bin: string;
let compiled: CompiledPackage;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'));
  compiled = compilePackage();
  bin = compiled.bin;
}, 60_000);
afterAll(() => {
  compiled.remove();
  rmSync(dir, { recursive: true, force: true });
});

interface Run {
  /** The first line of output; undefined when the program ended without one. */
  readonly line: Promise<string | undefined>;
  readonly ended: Promise<{ code: number | null; error: string }>;
  signal(name: NodeJS.Signals): void;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let error = '';
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
  const ended = new Promise<{ code: number | null; error: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, error }));
  });
  const line = new Promise<string | undefined>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('\n')) resolve(output.slice(0, output.indexOf('\n')));
    });
    void ended.then(() => resolve(undefined));
  });
  return { line, ended, signal: (name) => child.kill(name) };
}

describe('embedded-mongo', () => {
  it('prints its address, serves, and ends cleanly at a signal', async () => {
    const program = run('--dir', join(dir, 'data'));
    const uri = await program.line;
    expect(uri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/\?directConnection=true$/);
    const client = await new mongoose.mongo.MongoClient(uri ?? '').connect();
    await client.db('t').collection('c').insertOne({ a: 1 });
    await client.close();
    program.signal('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, error: '' });
    expect(existsSync(join(dir, 'data', 'data.mdb'))).toBe(true);
  });

  it.each([
    [['--port', 'abc'], /--port must be a number/],
    [['--port', '70000'], /--port must be a number/],
    [['--fly'], /Unknown option '--fly'/],
    [['--host', '0.0.0.0'], /host must be 127\.0\.0\.1/],
  ])('says in one line what is wrong with %p', async (args, message) => {
    const { code, error } = await run(...args).ended;
    expect(code).not.toBe(0);
    expect(error).toMatch(message);
    expect(error.trim().split('\n')).toHaveLength(1);
  });

  it('says when the port or the folder is in use', async () => {
    const folder = join(dir, 'used');
    const first = run('--dir', folder);
    const port = new URL((await first.line) ?? '').port;
    const samePort = await run('--port', port).ended;
    expect(samePort).toEqual({ code: 1, error: `embedded-mongo: port ${port} is in use\n` });
    const sameFolder = await run('--dir', folder).ended;
    expect(sameFolder).toEqual({
      code: 1,
      error: `embedded-mongo: the folder ${folder} is in use by another process\n`,
    });
    first.signal('SIGINT');
    expect((await first.ended).code).toBe(0);
  });
});
