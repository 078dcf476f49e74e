import { fileURLToPath } from 'node:url';
import { LightClient } from '../support/light-client.js';
import type { MeasuredProcess, Processes } from '../support/processes.js';
import { openDatabases, type ServerName, SERVERS, startOurs } from '../support/servers.js';
import { tokenFor } from '../support/tokens.js';

/** Of two, none waits for the other's clients; more would only take the servers' processors away. */
const LOAD_GENERATORS = 2;

/** Everything that runs: a database, two servers, the load generators, and on either server a stream with its broadcaster. */
export interface Stage {
  servers: Record<ServerName, MeasuredProcess>;
  loads: MeasuredProcess[];
  streamIds: Record<ServerName, string>;
}

/** From build/bench/live. */
const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export async function setStage(processes: Processes, databaseUri: string | undefined): Promise<Stage> {
  const ours = await startOurs(processes, await openDatabases(processes, databaseUri));
  const bare = await processes.start('the bare server', [pathOf('bare-server.js')], /listens on (\S+)/);
  const servers = { ours, bare };
  const loads: MeasuredProcess[] = [];
  for (let i = 1; i <= LOAD_GENERATORS; i += 1)
    loads.push(await processes.start(`load generator ${i}`, [pathOf('load.js')], /(ready)/));
  const streamIds = { ours: '', bare: '' };
  for (const server of SERVERS) streamIds[server] = await broadcast(processes, servers[server].address);
  return { servers, loads, streamIds };
}

/** The broadcaster stays, in this process. */
async function broadcast(processes: Processes, url: string): Promise<string> {
  const host = await LightClient.greeted(url, await authOf('astrologer', 'host'));
  processes.onClose(() => Promise.resolve(host.close()));
  host.onEventText = () => {};
  return (await host.ask<{ streamId: string }>('live:start', {})).streamId;
}

/** What Socket.IO's handshake gets of a person. */
export async function authOf(type: string, id: string): Promise<object> {
  return { token: await tokenFor(type, id, 'Asha') };
}

export async function authsOf(type: string, ids: string[]): Promise<object[]> {
  return Promise.all(ids.map((id) => authOf(type, id)));
}

/** What the load generators do together: calls all of them at once. */
export function callAll<Result>(
  { loads }: Pick<Stage, 'loads'>,
  method: string,
  argumentOf: (index: number) => unknown,
): Promise<Result[]> {
  return Promise.all(loads.map(({ remote }, index) => remote.call<Result>(method, argumentOf(index))));
}
