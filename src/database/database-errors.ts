import { mongo } from 'mongoose';

const DUPLICATE_KEY = 11_000;

/** Server answers that mean "not now": out of time, not enough members, shutting down, stepping down, interrupted. */
const TRANSIENT_SERVER_CODES = new Set<unknown>([
  50, 64, 91, 189, 262, 10_107, 11_600, 11_602, 13_435, 13_436,
]);

/** The driver passes some errors of its sockets on as they are. */
const SOCKET_ERROR_CODES = new Set<unknown>([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
]);

/** By name, because the driver does not export all of these classes. */
const LOST_CONNECTION_ERRORS = new Set([
  'MongoServerSelectionError',
  'MongooseServerSelectionError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
  'MongoOperationTimeoutError',
]);

/** A unique index refused the write; with `field`, one that this field is part of. */
export function isDuplicateKey(error: unknown, field?: string): boolean {
  if (!(error instanceof mongo.MongoServerError) || error.code !== DUPLICATE_KEY) return false;
  return field === undefined || field in ((error.keyPattern as object | undefined) ?? {});
}

/** The database did not get to do it, or could not say that it did; another try may succeed. */
export function isDatabaseAway(error: unknown): boolean {
  const origin = originOf(error);
  if (origin instanceof mongo.MongoServerError) return TRANSIENT_SERVER_CODES.has(origin.code);
  if (!(origin instanceof Error)) return false;
  const { code } = origin as NodeJS.ErrnoException;
  return (
    origin instanceof mongo.MongoNetworkError ||
    SOCKET_ERROR_CODES.has(code) ||
    LOST_CONNECTION_ERRORS.has(origin.name)
  );
}

/** A bulk write reports a lost connection as a server's error that carries the real one. */
function originOf(error: unknown): unknown {
  return error instanceof mongo.MongoBulkWriteError && error.errorResponse instanceof Error
    ? error.errorResponse
    : error;
}
