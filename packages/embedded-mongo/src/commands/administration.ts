import { UUID } from 'bson';
import type { Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { wrongType } from './arguments.js';
import type { Command, CommandRequest } from './command.js';
import { SESSION_TIMEOUT_MINUTES } from './handshake.js';

/** What tools and test runners ask for while they set up. */
const PARAMETERS: Readonly<Record<string, unknown>> = {
  authenticationMechanisms: [],
  enableTestCommands: true,
  featureCompatibilityVersion: { version: '7.0' },
};
const LOGS = ['global', 'startupWarnings'];

function assertAdmin({ name, database }: CommandRequest): void {
  if (database === 'admin') return;
  throw new MongoError(ErrorCode.Unauthorized, `${name} may only be run against the admin database.`);
}

/** Throws InvalidOptions (72) when none of the parameters asked for is known. */
export const getParameter: Command = {
  name: 'getParameter',
  kind: 'read',
  run(request) {
    assertAdmin(request);
    const all = request.body.get('getParameter') === '*';
    const wanted = Object.entries(PARAMETERS).filter(([name]) => all || request.body.has(name));
    if (wanted.length === 0) throw new MongoError(ErrorCode.InvalidOptions, 'no option found to get');
    return { ...Object.fromEntries(wanted), ok: 1 };
  },
};

export const getCmdLineOpts: Command = {
  name: 'getCmdLineOpts',
  kind: 'read',
  fields: [],
  run(request) {
    assertAdmin(request);
    return { argv: ['embedded-mongo'], parsed: {}, ok: 1 };
  },
};

/** There is no log: both are empty. */
export const getLog: Command = {
  name: 'getLog',
  kind: 'read',
  fields: [],
  run(request) {
    assertAdmin(request);
    const name = request.body.get('getLog');
    if (typeof name !== 'string') throw wrongType('getLog', 'getLog', name, 'string');
    if (name === '*') return { names: LOGS, ok: 1 };
    if (!LOGS.includes(name)) throw new MongoError(ErrorCode.OperationFailed, `No log named '${name}'`);
    return { totalLinesWritten: 0, log: [], ok: 1 };
  },
};

export const startSession: Command = {
  name: 'startSession',
  kind: 'read',
  fields: [],
  run: () => ({
    id: new Map<string, Value>([['id', new UUID()]]),
    timeoutMinutes: SESSION_TIMEOUT_MINUTES,
    ok: 1,
  }),
};

/** Sessions carry no state here, and a cursor does not know its own: it ends with `killCursors` or with time. */
export const killSessions: Command = { name: 'killSessions', kind: 'read', run: () => ({ ok: 1 }) };

/** All cursors that drivers open belong to sessions. */
export const killAllSessions: Command = {
  name: 'killAllSessions',
  kind: 'read',
  run({ body }, { cursors }) {
    const users = body.get('killAllSessions');
    if (!Array.isArray(users)) throw wrongType('killAllSessions', 'killAllSessions', users, 'array');
    // There are no users: sessions of named ones do not exist.
    if (users.length === 0) cursors.clear();
    return { ok: 1 };
  },
};
