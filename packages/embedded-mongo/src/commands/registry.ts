import type { Doc } from '../bson/values.js';
import {
  getCmdLineOpts,
  getLog,
  getParameter,
  killAllSessions,
  killSessions,
  startSession,
} from './administration.js';
import { aggregateInto, writes } from './aggregate-into.js';
import { aggregate } from './aggregate.js';
import { collMod } from './coll-mod.js';
import type { Command } from './command.js';
import { count, distinct } from './count.js';
import { remove } from './delete.js';
import { explain } from './explain.js';
import { configureFailPoint } from './fail-point.js';
import { findAndModify } from './find-and-modify.js';
import { find, getMore, killCursors } from './find.js';
import {
  buildInfo,
  connectionStatus,
  endSessions,
  hello,
  hostInfo,
  isMaster,
  ping,
  refreshSessions,
  serverStatus,
  whatsMyUri,
} from './handshake.js';
import { createIndexes, dropIndexes, listIndexes } from './indexes.js';
import { insert } from './insert.js';
import { create, drop, dropDatabase, listCollections, listDatabases } from './namespaces.js';
import { collStats, dbStats } from './statistics.js';
import { update } from './update.js';

const listCommands: Command = {
  name: 'listCommands',
  kind: 'read',
  fields: [],
  run: () => ({
    commands: Object.fromEntries(COMMANDS.map(({ name }) => [name, { help: '', requiresAuth: false }])),
    ok: 1,
  }),
};

const COMMANDS: readonly Command[] = [
  aggregate,
  buildInfo,
  collMod,
  collStats,
  configureFailPoint,
  connectionStatus,
  count,
  create,
  createIndexes,
  dbStats,
  distinct,
  drop,
  dropDatabase,
  dropIndexes,
  endSessions,
  explain,
  find,
  findAndModify,
  getCmdLineOpts,
  getLog,
  getMore,
  getParameter,
  hello,
  hostInfo,
  insert,
  isMaster,
  killAllSessions,
  killCursors,
  killSessions,
  listCollections,
  listCommands,
  listDatabases,
  listIndexes,
  ping,
  refreshSessions,
  remove,
  serverStatus,
  startSession,
  update,
  whatsMyUri,
];

const byName = new Map(
  COMMANDS.flatMap((command) =>
    [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const),
  ),
);

/** The command for a body whose first key is `name`; an aggregation that writes is another than one that reads. */
export function findCommand(name: string, body: Doc): Command | undefined {
  return name === 'aggregate' && writes(body) ? aggregateInto : byName.get(name);
}
