import { fileURLToPath } from 'node:url';
import { mongo } from 'mongoose';
import type { MeasuredProcess, Processes } from './processes.js';
import { BENCH_SECRET } from './tokens.js';

export type ServerName = 'ours' | 'bare';
export const SERVERS: readonly [ServerName, ServerName] = ['ours', 'bare'];

/** A database of its own for each server. */
export interface Databases {
  uri: string;
  names: Record<ServerName, string>;
  client: mongo.MongoClient;
  /** Undefined for a database that was there before. */
  process: MeasuredProcess | undefined;
}

/** From build/bench/support. */
const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** @param given a database that runs already; without it the embedded one is started */
export async function openDatabases(processes: Processes, given: string | undefined): Promise<Databases> {
  const database = given === undefined ? await startDatabase(processes) : undefined;
  const uri = given ?? database?.address ?? '';
  const names = { ours: `samvad_bench_${process.pid}_ours`, bare: `samvad_bench_${process.pid}_bare` };
  const client = await new mongo.MongoClient(uri).connect();
  processes.onClose(async () => {
    if (database === undefined) for (const name of Object.values(names)) await client.db(name).dropDatabase();
    await client.close();
  });
  return { uri, names, client, process: database };
}

function startDatabase(processes: Processes): Promise<MeasuredProcess> {
  const args = [pathOf('../../../packages/embedded-mongo/bin/embedded-mongo.js')];
  return processes.start(
    'the database',
    [...args, '--dir', `${processes.folder}/mongo`],
    /(mongodb:\/\/\S+)/,
  );
}

/** A bench is a flood, from one address: events are counted, but never too many. */
const UNREACHED_LIMITS = {
  RATE_LIMIT_MESSAGES: '999999/1',
  RATE_LIMIT_JOINS: '999999/1',
  RATE_LIMIT_OTHERS: '999999/1',
  RATE_LIMIT_HANDSHAKES: '999999/1',
  RATE_LIMIT_SESSIONS: '999999/1',
};

/** As it comes, but for the limits: nothing is configured but where it listens, its database and its key. */
export function startOurs(processes: Processes, { uri, names }: Databases): Promise<MeasuredProcess> {
  return processes.start('our server', [pathOf('../../../dist/main.js')], /Samvad listens on (\S+)/, {
    HOST: '127.0.0.1',
    PORT: '0',
    MONGODB_URI: withDatabase(uri, names.ours),
    JWT_SECRET: BENCH_SECRET,
    ...UNREACHED_LIMITS,
    DATA_DIR: `${processes.folder}/data`,
  });
}

function withDatabase(uri: string, name: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?[^?]*/, `$1/${name}`);
}
