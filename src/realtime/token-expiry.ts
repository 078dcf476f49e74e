import type { RealtimeSocket } from './socket.types.js';

/** setTimeout takes no longer delays. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Ends a connection when its token has run out and the grace is over, with `auth:expired` as its last event (contract §2): until then
 * it would go on receiving what is sent to its identity.
 */
export function disconnectAtExpiry(socket: RealtimeSocket, graceMs: number): void {
  const { expiresAt } = socket.data;
  if (expiresAt === null) return;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const remaining = expiresAt + graceMs - Date.now();
    timer = setTimeout(
      remaining > MAX_DELAY_MS ? wait : expire,
      Math.min(Math.max(remaining, 0), MAX_DELAY_MS),
    );
  };
  const expire = (): void => {
    socket.emit('auth:expired', { expiresAt });
    socket.disconnect(true);
  };
  wait();
  socket.once('disconnect', () => clearTimeout(timer));
}
