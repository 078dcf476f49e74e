import { Logger } from '@nestjs/common';
import { AppError } from '../contract/errors.js';
import { isDatabaseAway } from '../database/database-errors.js';
import { stackOf } from '../logging/stack-of.js';

const logger = new Logger('Errors');

/**
 * What a client may know of an error: ours as it is; a database that is away as UNAVAILABLE; everything else is logged and says nothing.
 * @param what the event, and for the log whose
 */
export function toAppError(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseAway(error)) {
    logger.warn(`${what}: the database is away (${(error as Error).name})`);
    return new AppError('UNAVAILABLE', 'The service cannot reach its database. Try again.');
  }
  logger.error(`${what} failed`, stackOf(error));
  return new AppError('INTERNAL', 'Something went wrong on the server.');
}
