import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** What is used of the driver's connections. */
interface DriverConnection {
  readonly socket: Socket;
  /** Marks the connection as broken, which fails what waits on it and takes it out of the pool. */
  onError(error: Error): void;
  writeCommand: (this: DriverConnection, ...args: unknown[]) => Promise<void>;
}

const requireOfMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));

/**
 * The driver (7.8 and 7.9) waits forever for a command that it writes to a connection which the server has just ended: the write is
 * dropped in silence, and the `drain` that the driver then waits for never comes. Such a connection is reported as broken instead, so
 * that the command fails at once and may be tried again.
 */
export function failCommandsOnEndedConnections(): void {
  const { Connection } = requireOfMongoose('mongodb/lib/cmap/connection.js') as {
    Connection: { prototype: DriverConnection };
  };
  const { MongoNetworkError } = requireOfMongoose('mongodb') as {
    MongoNetworkError: new (message: string) => Error;
  };
  const { prototype } = Connection;
  if (repaired.has(prototype)) return;
  repaired.add(prototype);
  const write = prototype.writeCommand;
  prototype.writeCommand = async function writeCommand(...args): Promise<void> {
    if (this.socket.destroyed || this.socket.writableEnded) {
      const error = new MongoNetworkError('the connection has ended');
      this.onError(error);
      throw error;
    }
    return write.apply(this, args);
  };
}

const repaired = new WeakSet<DriverConnection>();
