import type { Connection, mongo } from 'mongoose';

const listeners = new WeakMap<Connection, (() => void)[]>();

/**
 * Calls `forget` whenever the database was out of sight, be it for a moment: it may have come back with less than it had. Mongoose's
 * `disconnected` alone does not say so: a database that was started again between two heartbeats only breaks connections.
 */
export function onConnectionLost(connection: Connection, forget: () => void): void {
  const known = listeners.get(connection);
  if (known !== undefined) {
    known.push(forget);
    return;
  }
  const all = [forget];
  listeners.set(connection, all);
  const tellAll = (): void => all.forEach((tell) => tell());
  connection.on('disconnected', tellAll);
  connection.getClient().on('connectionPoolCleared', tellAll);
  connection.getClient().on('connectionClosed', ({ reason }: mongo.ConnectionClosedEvent) => {
    if (reason === 'error') tellAll();
  });
}
