import type { AppError, ErrorBody } from '../contract/errors.js';
import type { ConnectedPayload } from '../contract/server-events.js';
import type { Connections } from './connections.js';
import type { Logins } from './logins.js';
import { identityRoom, personalRoom } from './rooms.js';
import { SingleSocket } from './single-socket.js';
import type { RealtimeSocket } from './socket.types.js';
import { toAppError } from './to-app-error.js';

/** What a refused client finds in `connect_error`: `err.data = { code, message, retryable }` (contract §2). */
class HandshakeRefusal extends Error {
  readonly data: ErrorBody;

  constructor(error: AppError) {
    super(error.message);
    this.data = error.toBody();
  }
}

/**
 * Socket.IO middleware that lets a socket in with an identity, or not at all.
 * @param addressOf from where the socket comes, as limits count
 */
export function authenticateHandshake(logins: Logins, addressOf: (socket: RealtimeSocket) => string) {
  const single = new SingleSocket();
  const admit = async (socket: RealtimeSocket): Promise<void> => {
    single.claim(socket);
    try {
      const address = addressOf(socket);
      await logins.countHandshake(address);
      const { user, expiresAt } = await logins.authenticate(socket.handshake, address);
      Object.assign(socket.data, { user, userId: user.id, userType: user.type, expiresAt, address });
      socket.once('disconnect', (reason) => {
        single.release(socket);
        // Nothing else would end the connection of a client that has only left: it counts for no identity any more.
        if (reason === 'client namespace disconnect') socket.conn.close();
      });
    } catch (error) {
      single.release(socket);
      throw error;
    }
  };
  return (socket: RealtimeSocket, next: (refusal?: Error) => void): void => {
    admit(socket).then(
      () => next(),
      (error: unknown) => next(new HandshakeRefusal(toAppError(error, 'handshake'))),
    );
  };
}

/** Puts a new socket into the rooms of its person and of its identity, lets others know of it, and greets it, in this order (contract §2). */
export async function welcome(socket: RealtimeSocket, connections: Connections): Promise<void> {
  const { user } = socket.data;
  const connection = { socketId: socket.id, user };
  await socket.join([personalRoom(user), identityRoom(user)]);
  if (!socket.connected) return;
  socket.once('disconnect', () => void connections.departed(connection));
  await connections.arrived(connection);
  const { id, name, avatar, type } = user;
  const payload: ConnectedPayload = {
    socketId: socket.id,
    user: { id, name, avatar, role: type, userType: type, isAnonymous: false },
    timestamp: Date.now(),
  };
  socket.emit('connected', payload);
  await connections.greeted(connection);
}
