import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoError } from '../src/errors.js';
import { Environment } from '../src/storage/environment.js';
import { GroupCommit } from '../src/storage/group-commit.js';

let dir: string;
let environment: Environment;
let recovered: number;
let group: GroupCommit;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'));
  environment = new Environment(dir, false);
  recovered = 0;
  group = new GroupCommit(
    environment,
    () => undefined,
    () => recovered++,
  );
});
afterEach(async () => {
  await environment.close();
  rmSync(dir, { recursive: true, force: true });
});

const key = (name: string) => Buffer.from(name);
const has = (name: string) => environment.records.getBinary(key(name)) !== undefined;
const write = (name: string) => () => {
  environment.records.putSync(key(name), Buffer.of(1));
  return name;
};
const fail = (name: string, error: Error) => () => {
  write(name)();
  throw error;
};

describe('GroupCommit', () => {
  it('runs what arrives in one turn in one transaction, in order', async () => {
    const before = environment.version;
    const results = await Promise.all(['a', 'b', 'c'].map((name) => group.submit(write(name))));
    expect(results).toEqual(['a', 'b', 'c']);
    expect(environment.version - before).toBe(2);
  });

  it('keeps what a job wrote before it refused its request', async () => {
    const jobs = [
      group.submit(write('a')),
      group.submit(fail('b', new MongoError(2, 'no'))),
      group.submit(write('c')),
    ];
    const settled = await Promise.allSettled(jobs);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(['a', 'b', 'c'].map(has)).toEqual([true, true, true]);
    expect(recovered).toBe(0);
  });

  it('undoes a job that broke and nothing of its neighbours', async () => {
    const jobs = [
      group.submit(write('a')),
      group.submit(fail('b', new Error('broken'))),
      group.submit(write('c')),
    ];
    const settled = await Promise.allSettled(jobs);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { message: 'broken' } });
    expect(['a', 'b', 'c'].map(has)).toEqual([true, false, true]);
    expect(recovered).toBeGreaterThan(0);
  });

  it('commits what waits when it stops, and nothing after the environment is closed', async () => {
    const waiting = group.submit(write('a'));
    function* inSteps() {
      write('b')();
      yield undefined;
      return write('c')();
    }
    const unfinished = group.submit(inSteps);
    group.stop();
    expect(['a', 'b', 'c'].map(has)).toEqual([true, true, true]);
    await environment.close();
    const { version } = environment;
    // With this the turn is over that both were scheduled for.
    await new Promise((resolve) => setImmediate(resolve));
    expect({ version: environment.version, recovered }).toEqual({ version, recovered: 0 });
    expect(await Promise.all([waiting, unfinished])).toEqual(['a', 'c']);
    await expect(group.submit(write('d'))).rejects.toMatchObject({ code: 11600 });
  });

  it('closes a group that takes long, so that others get a turn', async () => {
    const slow = () => {
      const until = performance.now() + 60;
      while (performance.now() < until);
      return environment.version;
    };
    const versions = await Promise.all([group.submit(slow), group.submit(slow)]);
    expect(new Set(versions).size).toBe(2);
  });
});
