import { Logger } from '@nestjs/common';
import { mongo } from 'mongoose';
import { AppError } from '../contract/errors.js';

const logger = new Logger('Errors');

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

/** What a client may know of an error: ours as it is; a database that is away as UNAVAILABLE; everything else is logged and says nothing. */
export function toAppError(error: unknown, event: string): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseAway(error)) {
    logger.warn(`${event}: the database is away (${(error as Error).name})`);
    return new AppError('UNAVAILABLE', 'The service cannot reach its database. Try again.');
  }
  logger.error(`${event} failed`, error instanceof Error ? error.stack : String(error));
  return new AppError('INTERNAL', 'Something went wrong on the server.');
}

function isDatabaseAway(error: unknown): boolean {
  const origin = originOf(error);
  if (origin instanceof mongo.MongoServerError) return TRANSIENT_SERVER_CODES.has(origin.code);
  if (SOCKET_ERROR_CODES.has((origin as NodeJS.ErrnoException | null)?.code)) return true;
  return (
    origin instanceof mongo.MongoNetworkError ||
    (origin instanceof Error && LOST_CONNECTION_ERRORS.has(origin.name))
  );
}

/** A bulk write reports a lost connection as a server's error that carries the real one. */
function originOf(error: unknown): unknown {
  return error instanceof mongo.MongoBulkWriteError && error.errorResponse instanceof Error
    ? error.errorResponse
    : error;
}
