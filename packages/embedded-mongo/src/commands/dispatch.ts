import { isDoc, isDouble, isInt32, isLong, type Doc } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { GroupCommit } from '../storage/group-commit.js';
import { assertDatabaseName } from '../storage/namespace.js';
import type { ReplyFields } from '../wire/reply.js';
import type { Request } from '../wire/request.js';
import { assertKnownFields, countArgument } from './arguments.js';
import type { Command, CommandContext } from './command.js';
import { Deadline } from './deadline.js';
import { findCommand } from './registry.js';

const GENERIC_FIELDS = [
  '$db',
  '$readPreference',
  '$clusterTime',
  'lsid',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'comment',
  'maxTimeMS',
  'readConcern',
  'writeConcern',
  'txnNumber',
  'autocommit',
  'startTransaction',
];
const READ_CONCERNS = new Set(['local', 'available', 'majority']);
const knownFields = new Map<Command, ReadonlySet<string>>();

/** Runs a request's command. Throws, or rejects with, MongoError for what the client is to be told. */
export function dispatch(
  request: Request,
  connectionId: number,
  context: CommandContext,
  group: GroupCommit,
): ReplyFields | Promise<ReplyFields> {
  const { body, database, sequences } = request;
  const [name = ''] = body.keys();
  const command = findCommand(name, body);
  if (!command) throw new MongoError(ErrorCode.CommandNotFound, `no such command: '${name}'`);
  assertDatabaseName(database);
  if (command.fields) assertKnownFields(body, name, fieldsOf(command));
  assertNoTransaction(body);
  assertReadConcern(body);
  assertWriteConcern(body);
  const deadline = new Deadline(countArgument(body, name, 'maxTimeMS'));
  const commandRequest = { name, database, body, sequences, deadline, connectionId };
  if (command.kind === 'read') return command.run(commandRequest, context);
  return group.submit(() => command.run(commandRequest, context));
}

function fieldsOf(command: Command): ReadonlySet<string> {
  let fields = knownFields.get(command);
  if (!fields) {
    fields = new Set([
      command.name,
      ...(command.aliases ?? []),
      ...(command.fields ?? []),
      ...GENERIC_FIELDS,
    ]);
    knownFields.set(command, fields);
  }
  return fields;
}

/** As a standalone MongoDB answers. */
function assertNoTransaction(body: Doc): void {
  if (!body.has('txnNumber') && !body.has('startTransaction') && !body.has('autocommit')) return;
  throw new MongoError(
    ErrorCode.IllegalOperation,
    'Transaction numbers are only allowed on a replica set member or mongos',
  );
}

function assertReadConcern(body: Doc): void {
  const concern = body.get('readConcern');
  if (!isDoc(concern)) return;
  const level = concern.get('level');
  if (level !== undefined && (typeof level !== 'string' || !READ_CONCERNS.has(level))) {
    throw new MongoError(123, 'node needs to be a replica set member to use this read concern');
  }
  if (concern.has('afterClusterTime') || concern.has('atClusterTime')) {
    throw new MongoError(
      ErrorCode.InvalidOptions,
      'cluster times are only supported on a replica set member',
    );
  }
}

function assertWriteConcern(body: Doc): void {
  const concern = body.get('writeConcern');
  if (!isDoc(concern)) return;
  const w = concern.get('w');
  if (typeof w === 'string' && w !== 'majority') {
    throw new MongoError(
      ErrorCode.BadValue,
      `cannot use non-majority 'w' mode ${w} when a host is not a member of a replica set`,
    );
  }
  const nodes = isInt32(w) || isDouble(w) ? w.value : isLong(w) ? w.toNumber() : 0;
  if (nodes > 1) throw new MongoError(ErrorCode.BadValue, "cannot use 'w' > 1 when a host is not replicated");
}
