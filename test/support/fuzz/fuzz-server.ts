import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SpawnedProcess, spawnUntilReady } from '../spawned.js';
import { TEST_SECRET } from '../token.js';
import { until } from '../until.js';

const STRAY = /Unhandled|Uncaught|FATAL|heap out of memory/;

/** The built program as it runs behind a load balancer, with its limits as they come, and its database in a process of its own. */
export class FuzzServer {
  private constructor(
    private readonly folder: string,
    private readonly mongo: SpawnedProcess,
    private readonly server: SpawnedProcess,
  ) {}

  static async start(): Promise<FuzzServer> {
    const folder = await mkdtemp(join(tmpdir(), 'samvad-fuzz-'));
    const mongo = await spawnUntilReady(
      [
        process.execPath,
        'packages/embedded-mongo/bin/embedded-mongo.js',
        '--port',
        '0',
        '--dir',
        join(folder, 'mongo'),
      ],
      { PATH: process.env.PATH },
      /(mongodb:\/\/\S+)/,
    );
    const server = await spawnUntilReady(
      [
        process.execPath,
        '--expose-gc',
        '--import',
        './build/test/support/fuzz/memory-reporter.js',
        'dist/main.js',
      ],
      {
        PATH: process.env.PATH,
        NODE_ENV: 'test',
        HOST: '127.0.0.1',
        PORT: '0',
        LOG_LEVEL: 'warn',
        MONGODB_URI: mongo.address,
        JWT_SECRET: TEST_SECRET,
        TRUST_PROXY: '1',
      },
      /Samvad listens on (\S+)/,
    );
    return new FuzzServer(folder, mongo, server);
  }

  get url(): string {
    return this.server.address;
  }

  /** Whether it runs, and what of its log must not be there: errors that escaped, and faults of its own. */
  get faults(): string[] {
    const { exitCode, signalCode } = this.server.child;
    const ended = exitCode === null && signalCode === null ? [] : [`it ended: ${exitCode ?? signalCode}`];
    const lines = this.server.output().split('\n');
    return [...ended, ...lines.filter((line) => STRAY.test(line) || /\bERROR\b/.test(line))];
  }

  /** What its objects take after a collection of garbage, in bytes. */
  async memory(): Promise<number> {
    const reports = (): RegExpMatchArray[] => [...this.server.output().matchAll(/^memory (\d+) \d+$/gm)];
    const before = reports().length;
    this.server.child.kill('SIGUSR2');
    await until(() => reports().length > before);
    return Number(reports().at(-1)?.[1]);
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.mongo.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
