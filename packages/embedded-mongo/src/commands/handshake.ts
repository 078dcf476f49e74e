import os from 'node:os';
import { MAX_MESSAGE_SIZE } from '../wire/framing.js';
import type { ReplyFields } from '../wire/reply.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { MAX_DOCUMENT_SIZE } from './modify.js';

/** The release whose behaviour this server follows, and its wire version. */
const VERSION = '7.0.0';
const VERSION_ARRAY = [7, 0, 0, 0];
const MAX_WIRE_VERSION = 21;
export const SESSION_TIMEOUT_MINUTES = 30;

function describeServer({ connectionId }: CommandRequest, primaryField: string): ReplyFields {
  return {
    helloOk: true,
    [primaryField]: true,
    maxBsonObjectSize: MAX_DOCUMENT_SIZE,
    maxMessageSizeBytes: MAX_MESSAGE_SIZE,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: SESSION_TIMEOUT_MINUTES,
    connectionId,
    minWireVersion: 0,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
    ok: 1,
  };
}

export const hello: Command = {
  name: 'hello',
  kind: 'read',
  run: (request) => describeServer(request, 'isWritablePrimary'),
};

export const isMaster: Command = {
  name: 'isMaster',
  aliases: ['ismaster'],
  kind: 'read',
  run: (request) => describeServer(request, 'ismaster'),
};

/** As in MongoDB it takes any fields. */
export const ping: Command = { name: 'ping', kind: 'read', run: () => ({ ok: 1 }) };

export const buildInfo: Command = {
  name: 'buildInfo',
  aliases: ['buildinfo'],
  kind: 'read',
  run: () => ({
    version: VERSION,
    versionArray: VERSION_ARRAY,
    gitVersion: 'embedded-mongo',
    modules: [],
    storageEngines: ['lmdb'],
    bits: 64,
    debug: false,
    maxBsonObjectSize: MAX_DOCUMENT_SIZE,
    ok: 1,
  }),
};

export const connectionStatus: Command = {
  name: 'connectionStatus',
  kind: 'read',
  run: () => ({
    authInfo: { authenticatedUsers: [], authenticatedUserRoles: [], authenticatedUserPrivileges: [] },
    ok: 1,
  }),
};

export const hostInfo: Command = {
  name: 'hostInfo',
  kind: 'read',
  run: () => ({
    system: { currentTime: new Date(), hostname: os.hostname(), cpuAddrSize: 64, numCores: os.cpus().length },
    os: { type: os.type(), name: os.platform(), version: os.release() },
    extra: {},
    ok: 1,
  }),
};

export const whatsMyUri: Command = {
  name: 'whatsmyuri',
  kind: 'read',
  run: (_request, { port }) => ({ you: `127.0.0.1:${port}`, ok: 1 }),
};

/** Sessions carry no state here: there are no transactions, and retryable writes need a replica set. */
export const endSessions: Command = { name: 'endSessions', kind: 'read', run: () => ({ ok: 1 }) };
export const refreshSessions: Command = { name: 'refreshSessions', kind: 'read', run: () => ({ ok: 1 }) };

export const serverStatus: Command = {
  name: 'serverStatus',
  kind: 'read',
  run: (_request, context) => describeStatus(context),
};

function describeStatus(context: CommandContext): ReplyFields {
  const { startedAt, cursors, environment, port } = context;
  const uptime = (Date.now() - startedAt.getTime()) / 1000;
  return {
    host: `127.0.0.1:${port}`,
    version: VERSION,
    process: 'embedded-mongo',
    pid: process.pid,
    uptime,
    uptimeMillis: Math.round(uptime * 1000),
    localTime: new Date(),
    connections: { current: context.connectionCount() },
    metrics: { cursor: { open: { total: cursors.size } } },
    mem: { bits: 64, resident: Math.round(process.memoryUsage.rss() / 1024 ** 2) },
    storageEngine: { name: 'lmdb', persistent: true, durable: environment.durable },
    ok: 1,
  };
}
