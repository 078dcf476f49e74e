import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { freePort } from '../free-port.js';
import { type SpawnedProcess, spawnUntilReady } from '../spawned.js';
import { TEST_SECRET } from '../token.js';
import type { Random } from './random.js';

interface ServerNode {
  dataDir: string;
  /** Absent while it is down. */
  running?: SpawnedProcess | undefined;
}

/**
 * The built program, as one node with its embedded database, or as several nodes on one database and one Redis. Everything is in
 * processes of its own and a temporary folder, and gone with `close`.
 */
export class Cluster {
  private readonly nodes: ServerNode[] = [];
  private readonly stops: SpawnedProcess['stop'][] = [];
  private readonly outputs: SpawnedProcess['output'][] = [];
  private variables: Record<string, string> = {};
  private isClosed = false;

  private constructor(private readonly folder: string) {}

  /** @param redisUrl of a Redis that runs; without it several nodes get one of their own */
  static async start(nodeCount: number, redisUrl?: string): Promise<Cluster> {
    const cluster = new Cluster(await mkdtemp(join(tmpdir(), 'samvad-soak-')));
    try {
      if (nodeCount > 1) await cluster.startShared(redisUrl);
      for (let i = 0; i < nodeCount; i += 1)
        cluster.nodes.push({ dataDir: join(cluster.folder, `node${i}`) });
      for (let i = 0; i < nodeCount; i += 1) await cluster.startNode(i);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get nodeCount(): number {
    return this.nodes.length;
  }

  /** What all nodes have logged, those included that were killed. */
  get logged(): string[] {
    return this.outputs.flatMap((output) => output().split('\n'));
  }

  /** Of any node that runs. */
  address(random: Random): string | undefined {
    const running = this.nodes.flatMap((node) => node.running?.address ?? []);
    return running.length === 0 ? undefined : random.pick(running);
  }

  async kill(index: number): Promise<void> {
    const node = this.nodes[index];
    const running = node?.running;
    if (node === undefined || running === undefined) return;
    node.running = undefined;
    await running.stop('SIGKILL');
  }

  async startNode(index: number): Promise<void> {
    const node = this.nodes[index];
    if (node === undefined || this.isClosed) return;
    const env = {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      DATA_DIR: node.dataDir,
      JWT_SECRET: TEST_SECRET,
      RATE_LIMITS: 'off',
      // Connections that were dropped without a word count until they are found out.
      MAX_SOCKETS_PER_IDENTITY: '1000',
      ...this.variables,
    };
    node.running = await this.spawn([process.execPath, 'dist/main.js'], env, /Samvad listens on (\S+)/);
    this.outputs.push(node.running.output);
  }

  /** Ends the nodes in good order; the exit codes. */
  async stopNodes(): Promise<(number | null)[]> {
    return Promise.all(
      this.nodes.map(async (node) => {
        const { running } = node;
        node.running = undefined;
        return running === undefined ? null : running.stop();
      }),
    );
  }

  /** What is stored, read past the nodes, which must have stopped. */
  async readDatabase<T>(read: (database: mongoose.mongo.Db) => Promise<T>): Promise<T> {
    const uri =
      this.variables.MONGODB_URI ?? (await this.startMongo(join(this.nodes[0]?.dataDir ?? '', 'mongo')));
    const client = new mongoose.mongo.MongoClient(uri);
    try {
      return await read(client.db('samvad'));
    } finally {
      await client.close();
    }
  }

  /** Ends every process that it started, by its id, and takes the folder away. May be called at any time. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.stops.map((stop) => stop('SIGKILL')));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async startShared(redisUrl: string | undefined): Promise<void> {
    const MONGODB_URI = await this.startMongo(join(this.folder, 'mongo'));
    this.variables = { MONGODB_URI, REDIS_URL: redisUrl ?? (await this.startRedis()) };
  }

  private async startMongo(dir: string): Promise<string> {
    const program = 'packages/embedded-mongo/bin/embedded-mongo.js';
    const command = [process.execPath, program, '--dir', dir] as [string, ...string[]];
    return (await this.spawn(command, { PATH: process.env.PATH }, /(mongodb:\/\/\S+)/)).address;
  }

  private async startRedis(): Promise<string> {
    const [port, dir] = [String(await freePort()), join(this.folder, 'redis')];
    await mkdir(dir);
    const command = ['redis-server', '--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', dir];
    const ready = /(Ready) to accept connections/;
    await this.spawn(command as [string, ...string[]], { PATH: process.env.PATH }, ready);
    return `redis://127.0.0.1:${port}`;
  }

  private spawn(
    command: [string, ...string[]],
    env: NodeJS.ProcessEnv,
    ready: RegExp,
  ): Promise<SpawnedProcess> {
    return spawnUntilReady(command, env, ready, (stop) => void this.stops.push(stop));
  }
}
