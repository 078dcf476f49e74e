import { AppError } from '../contract/errors.js';
import type { RealtimeSocket } from './socket.types.js';

/**
 * One identity for each connection: Socket.IO would let a client ask to be let in any number of times on one connection, and each
 * message would then be sent to it as often.
 */
export class SingleSocket {
  private readonly taken = new WeakSet<object>();

  /** @throws AppError BAD_REQUEST when the connection has a socket, or is getting one */
  claim({ client }: RealtimeSocket): void {
    if (this.taken.has(client)) throw new AppError('BAD_REQUEST', 'This connection has an identity already.');
    this.taken.add(client);
  }

  release({ client }: RealtimeSocket): void {
    this.taken.delete(client);
  }
}
