import { type INestApplication, Logger } from '@nestjs/common';
import { config as rxjs } from 'rxjs';
import { stackOf } from './logging/stack-of.js';

/** A close that takes longer is cut off: orchestrators kill without mercy soon after. */
const CLOSE_TIMEOUT_MS = 4500;

const logger = new Logger('Process');

/** What a signal closes, once there is something to close. */
export interface Closing {
  manage: (app: INestApplication) => void;
}

/**
 * From now on SIGTERM and SIGINT close the application: requests under way are answered, then sockets, then the database. While it is
 * still being put together, they end the process at once.
 */
export function closeOnSignal(): Closing {
  let app: INestApplication | undefined;
  let isClosing = false;
  const close = (signal: NodeJS.Signals): void => {
    if (app === undefined) process.exit(0);
    if (isClosing) return;
    isClosing = true;
    logger.log(`${signal}: closing`);
    setTimeout(() => {
      logger.error(`Not closed after ${CLOSE_TIMEOUT_MS} ms: leaving`);
      process.exit(1);
    }, CLOSE_TIMEOUT_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error('The close failed', stackOf(error));
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
  return { manage: (managed) => (app = managed) };
}

/**
 * Errors that escaped every handler are logged and must not take thousands of connections down with them. The state that matters
 * is in the database, each request stands alone, so the process can go on.
 */
export function surviveStrayErrors(): void {
  process.on('unhandledRejection', (reason) => logger.error('Unhandled rejection', stackOf(reason)));
  process.on('uncaughtException', (error) => logger.error('Uncaught exception', stackOf(error)));
  // rxjs, inside Nest, would throw what a subscriber threw once more, from a timer.
  rxjs.onUnhandledError = (error: unknown) => logger.error('Unhandled error in a subscriber', stackOf(error));
}
