import { fileURLToPath } from 'node:url';
import { mongo } from 'mongoose';
import type { MeasuredProcess, Processes } from '../support/processes.js';
import { BENCH_SECRET, tokenFor } from '../support/tokens.js';
import type { ConnectOrder, PersonOrder } from './load-orders.js';

export type ServerName = 'ours' | 'bare';
export const SERVERS: readonly [ServerName, ServerName] = ['ours', 'bare'];

/** Everything that runs: one database, two servers on it, one load generator. */
export interface Stage {
  servers: Record<ServerName, MeasuredProcess>;
  load: MeasuredProcess;
  /** Undefined for a database that was there before. */
  database: MeasuredProcess | undefined;
  /** Of our server. */
  data: mongo.Db;
}

/** From build/bench/direct-message. */
const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export async function setStage(processes: Processes, databaseUri: string | undefined): Promise<Stage> {
  const database = databaseUri === undefined ? await startDatabase(processes) : undefined;
  const uri = databaseUri ?? database?.address ?? '';
  const names = { ours: `samvad_bench_${process.pid}_ours`, bare: `samvad_bench_${process.pid}_bare` };
  const client = await new mongo.MongoClient(uri).connect();
  processes.onClose(async () => {
    if (database === undefined) for (const name of Object.values(names)) await client.db(name).dropDatabase();
    await client.close();
  });
  const ours = await startOurs(processes, withDatabase(uri, names.ours));
  const bare = await processes.start(
    'the bare server',
    [pathOf('bare-server.js'), uri, names.bare],
    /listens on (\S+)/,
  );
  const load = await processes.start('the load generator', [pathOf('load.js')], /(ready)/);
  return { servers: { ours, bare }, load, database, data: client.db(names.ours) };
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
function startOurs(processes: Processes, uri: string): Promise<MeasuredProcess> {
  return processes.start('our server', [pathOf('../../../dist/main.js')], /Samvad listens on (\S+)/, {
    HOST: '127.0.0.1',
    PORT: '0',
    MONGODB_URI: uri,
    JWT_SECRET: BENCH_SECRET,
    ...UNREACHED_LIMITS,
    DATA_DIR: `${processes.folder}/data`,
  });
}

function withDatabase(uri: string, name: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?[^?]*/, `$1/${name}`);
}

/** A user and an astrologer with a conversation of their own on either server. */
export async function makePair(server: ServerName, name: string): Promise<ConnectOrder['people'][number]> {
  const person = async (type: string): Promise<PersonOrder> => {
    const id = `${type}-${name}`;
    const auth = server === 'ours' ? { token: await tokenFor(type, id, 'Asha') } : { id, type, name: 'Asha' };
    return { id, type, auth };
  };
  const sides: [PersonOrder, PersonOrder] = [await person('user'), await person('astrologer')];
  return { conversationId: `user_${sides[0].id}_${sides[1].id}`, sides };
}
