import type { AuthenticationService } from '../auth/authentication.service.js';
import type { ConnectedPayload } from '../contract/server-events.js';
import { AppError } from '../contract/errors.js';
import { personalRoom } from './rooms.js';
import type { RealtimeSocket } from './socket.types.js';
import { toAppError } from './to-app-error.js';

/** What a refused client finds in `connect_error`: `err.data = { code, message, retryable }` (contract §2). */
class HandshakeRefusal extends Error {
  readonly data: ReturnType<AppError['toBody']>;

  constructor(error: AppError) {
    super(error.message);
    this.data = error.toBody();
  }
}

/** Socket.IO middleware that lets a socket in with an identity, or not at all. */
export function authenticateHandshake(authentication: AuthenticationService) {
  return (socket: RealtimeSocket, next: (refusal?: Error) => void): void => {
    authentication.authenticate(socket.handshake).then(
      ({ user, expiresAt }) => {
        Object.assign(socket.data, { user, userId: user.id, userType: user.type, expiresAt });
        next();
      },
      (error: unknown) => next(new HandshakeRefusal(toAppError(error, 'handshake'))),
    );
  };
}

/** Puts a new socket into its personal room and greets it, in this order (contract §2). */
export async function welcome(socket: RealtimeSocket): Promise<void> {
  const { user } = socket.data;
  await socket.join(personalRoom(user));
  const { id, name, avatar, type } = user;
  const payload: ConnectedPayload = {
    socketId: socket.id,
    user: { id, name, avatar, role: type, userType: type, isAnonymous: false },
    timestamp: Date.now(),
  };
  socket.emit('connected', payload);
}
