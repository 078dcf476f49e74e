import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { startEmbeddedMongo } from '@samvad/embedded-mongo';
import mongoose from 'mongoose';
import { connectionOptions } from '../../src/database/connection-options.js';
import { failCommandsOnEndedConnections } from '../../src/database/driver-repair.js';

/** The sockets that this process opens, by the channel on which Node tells of them. */
function watchSockets(): { sockets: Socket[]; stop: () => void } {
  const sockets: Socket[] = [];
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', note);
  return { sockets, stop: () => unsubscribe('net.client.socket', note) };
}

/** The moment in which a socket is destroyed, and has not said `close` yet: Node does so at the end of the turn. */
function betweenDestroyAndClose(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (socket.destroyed) resolve();
      else setImmediate(look);
    };
    socket.once('end', look);
  });
}

describe('a command on a connection that the server has just ended', () => {
  it('fails at once', async () => {
    const mongo = await startEmbeddedMongo({ durable: false });
    const { sockets, stop } = watchSockets();
    failCommandsOnEndedConnections();
    const { uri, retryAttempts: _, retryDelay: __, ...options } = connectionOptions(mongo.uri);
    const connection = await mongoose.createConnection(uri as string, options).asPromise();
    const ping = () => connection.db?.command({ ping: 1 });
    await ping();
    const outcomes = sockets.map(async (socket) => {
      await betweenDestroyAndClose(socket);
      return ping()?.then(
        () => 'answered',
        (error: Error) => error.name,
      );
    });
    await mongo.close();
    // Those that find another connection may look for the server first; none waits forever.
    const limit = setTimeout(4000, 'never', { ref: false });
    const seen = await Promise.all(outcomes.map((outcome) => Promise.race([outcome, limit])));
    stop();
    await connection.close(true);
    expect(seen).toContain('MongoNetworkError');
    expect(seen).not.toContain('never');
    expect(seen).not.toContain('answered');
  });
});
