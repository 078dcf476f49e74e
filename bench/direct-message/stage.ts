import { fileURLToPath } from 'node:url';
import type { mongo } from 'mongoose';
import type { MeasuredProcess, Processes } from '../support/processes.js';
import { openDatabases, type ServerName, startOurs } from '../support/servers.js';
import { tokenFor } from '../support/tokens.js';
import type { ConnectOrder, PersonOrder } from './load-orders.js';

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
  const databases = await openDatabases(processes, databaseUri);
  const { uri, names, client } = databases;
  const ours = await startOurs(processes, databases);
  const bare = await processes.start(
    'the bare server',
    [pathOf('bare-server.js'), uri, names.bare],
    /listens on (\S+)/,
  );
  const load = await processes.start('the load generator', [pathOf('load.js')], /(ready)/);
  return { servers: { ours, bare }, load, database: databases.process, data: client.db(names.ours) };
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
