import { isDouble, isInt32, isLong, type Doc } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { GroupCommit } from '../storage/group-commit.js';
import { assertDatabaseName } from '../storage/namespace.js';
import type { ReplyFields } from '../wire/reply.js';
import type { Request } from '../wire/request.js';
import { assertKnownFields, countArgument, docArgument, wrongType } from './arguments.js';
import type { Command, CommandContext } from './command.js';
import { Deadline } from './deadline.js';
import { readView } from './views.js';
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
const REPLICA_READ_CONCERNS = new Set(['linearizable', 'snapshot']);
const READ_CONCERN_FIELDS = new Set([
  'level',
  'afterOpTime',
  'afterClusterTime',
  'atClusterTime',
  'provenance',
]);
const WRITE_CONCERN_FIELDS = new Set([
  'w',
  'j',
  'wtimeout',
  'fsync',
  'wOpTime',
  'getLastError',
  'provenance',
]);
/** As many as a replica set may have. */
const MAX_NODES = 50;
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
  assertReadConcern(name, body);
  assertWriteConcern(name, body);
  const deadline = new Deadline(countArgument(body, name, 'maxTimeMS'));
  const commandRequest = { name, database, body, sequences, deadline, connectionId };
  const run = () => {
    if (command.kind === 'write') return group.submit(() => command.run(commandRequest, context));
    return readView(commandRequest, context) ?? command.run(commandRequest, context);
  };
  const blocked = context.failPoint.enter(command);
  return blocked ? blocked.then(run) : run();
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

function assertReadConcern(name: string, body: Doc): void {
  const concern = docArgument(body, name, 'readConcern');
  if (!concern) return;
  assertKnownFields(concern, `${name}.readConcern`, READ_CONCERN_FIELDS);
  const level = concern.get('level');
  if (level !== undefined && typeof level !== 'string')
    throw wrongType(`${name}.readConcern`, 'level', level, 'string');
  if (level !== undefined && !READ_CONCERNS.has(level) && !REPLICA_READ_CONCERNS.has(level)) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `readConcern.level must be either 'local', 'majority', 'linearizable', 'available' or 'snapshot', not '${level}'`,
    );
  }
  if (level !== undefined && !READ_CONCERNS.has(level)) {
    throw new MongoError(123, 'node needs to be a replica set member to use this read concern');
  }
  if (concern.has('afterClusterTime') || concern.has('atClusterTime')) {
    throw new MongoError(
      ErrorCode.InvalidOptions,
      'cluster times are only supported on a replica set member',
    );
  }
}

function assertWriteConcern(name: string, body: Doc): void {
  const concern = docArgument(body, name, 'writeConcern');
  if (!concern) return;
  assertKnownFields(concern, `${name}.writeConcern`, WRITE_CONCERN_FIELDS);
  const w = concern.get('w');
  if (typeof w === 'string' && w !== 'majority') {
    throw new MongoError(
      ErrorCode.BadValue,
      `cannot use non-majority 'w' mode ${w} when a host is not a member of a replica set`,
    );
  }
  const nodes = isInt32(w) || isDouble(w) ? w.value : isLong(w) ? w.toNumber() : 0;
  if (nodes < 0 || nodes > MAX_NODES) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `w has to be a non-negative number and not greater than ${MAX_NODES}; found: ${nodes}`,
    );
  }
  if (nodes > 1) throw new MongoError(ErrorCode.BadValue, "cannot use 'w' > 1 when a host is not replicated");
}
