import { Injectable } from '@nestjs/common';
import type { ServerEvents } from '../contract/server-events.js';
import type { Room } from './rooms.js';
import type { RealtimeServer } from './socket.types.js';

/** The only holder of the Socket.IO server: the way to rooms, and to any socket but the one that is being answered (see Reply). */
@Injectable()
export class EmitterService {
  private server: RealtimeServer | undefined;

  /** Called once by the adapter, before the first socket is let in. */
  attach(server: RealtimeServer): void {
    this.server = server;
  }

  /**
   * Sends to every socket that is in at least one of the rooms, exactly once each: one encoding, whatever their number.
   * @param except a socket's id, or a room, whose sockets are left out
   */
  toRooms<E extends keyof ServerEvents>(
    rooms: Room[],
    event: E,
    payload: ServerEvents[E],
    except?: string,
  ): void {
    let target = this.online().to(rooms);
    if (except !== undefined) target = target.except(except);
    target.emit(event, ...([payload] as never));
  }

  /** Sends to one socket of this node; nothing happens when it has gone. */
  toSocket<E extends keyof ServerEvents>(socketId: string, event: E, payload: ServerEvents[E]): void {
    this.online()
      .sockets.sockets.get(socketId)
      ?.emit(event, ...([payload] as never));
  }

  async joinRoom(socketId: string, room: Room): Promise<void> {
    await this.online().sockets.sockets.get(socketId)?.join(room);
  }

  async leaveRoom(socketId: string, room: Room): Promise<void> {
    await this.online().sockets.sockets.get(socketId)?.leave(room);
  }

  /** Whether this node has the socket. A look into memory. */
  isConnected(socketId: string): boolean {
    return this.online().sockets.sockets.has(socketId);
  }

  private online(): RealtimeServer {
    if (this.server === undefined) throw new Error('The emitter is used before the server listens.');
    return this.server;
  }
}
