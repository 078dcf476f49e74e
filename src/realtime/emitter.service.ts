import { Injectable } from '@nestjs/common';
import type { Identity } from '../contract/identity.js';
import type { ServerEvents } from '../contract/server-events.js';
import type { AuthDisconnectedPayload } from '../contract/session.js';
import type { Room } from './rooms.js';
import type { RealtimeServer } from './socket.types.js';

/** The only holder of the Socket.IO server: the way to rooms, and to any socket but the one that is being answered (see Reply). */
@Injectable()
export class EmitterService {
  private server: RealtimeServer | undefined;
  private readonly leaveListeners: ((room: Room, socketId: string, user: Identity) => void)[] = [];

  /** Called once by the adapter, before the first socket is let in. */
  attach(server: RealtimeServer): void {
    this.server = server;
    server.of('/').adapter.on('leave-room', (room: Room, socketId: string) => {
      const user = server.sockets.sockets.get(socketId)?.data.user;
      if (user !== undefined) for (const listener of this.leaveListeners) listener(room, socketId, user);
    });
  }

  /** `listener` is called when a socket of this node leaves a room, also because it goes. */
  onLeave(listener: (room: Room, socketId: string, user: Identity) => void): void {
    this.leaveListeners.push(listener);
  }

  /** Sends to every socket of every node: one encoding. */
  toEverybody<E extends keyof ServerEvents>(event: E, payload: ServerEvents[E]): void {
    this.online().emit(event, ...([payload] as never));
  }

  /** Sends to the room's sockets on this node alone: what every node finds out by itself. */
  toLocalRoom<E extends keyof ServerEvents>(room: Room, event: E, payload: ServerEvents[E]): void {
    this.online()
      .local.to(room)
      .emit(event, ...([payload] as never));
  }

  /** Like `toRooms`, but a socket that has not read what it was sent before is left out: what is worth nothing when it is late. */
  toRoomIfWritable<E extends keyof ServerEvents>(room: Room, event: E, payload: ServerEvents[E]): void {
    this.online()
      .to(room)
      .volatile.emit(event, ...([payload] as never));
  }

  /** Who is in the room on this node, once for each socket. Costs as much as there are sockets in it. */
  identitiesIn(room: Room): Identity[] {
    const { sockets, adapter } = this.online().sockets;
    return [...(adapter.rooms.get(room) ?? [])].flatMap((id) => sockets.get(id)?.data.user ?? []);
  }

  /** Whether a socket of this node is in the room. A look into memory. */
  isInRoom(socketId: string, room: Room): boolean {
    return this.online().sockets.sockets.get(socketId)?.rooms.has(room) ?? false;
  }

  /** The ids of the room's sockets on this node, in the order in which they came into it. Costs as much as there are. */
  socketsIn(room: Room): string[] {
    return [...(this.online().sockets.adapter.rooms.get(room) ?? [])];
  }

  /**
   * Ends the connections of a room's sockets, on every node, with the reason as their last event.
   * @param except the id of a socket that stays
   */
  disconnect(room: Room, reason: AuthDisconnectedPayload, except?: string): void {
    this.toRooms([room], 'auth:disconnected', reason, except);
    const target = this.online().in(room);
    (except === undefined ? target : target.except(except)).disconnectSockets(true);
  }

  /** Puts the sockets of a room out of another one, on every node. */
  putOut(from: Room, whoIsIn: Room): void {
    this.online().in(whoIsIn).socketsLeave(from);
  }

  /** Likewise, those on this node alone: what every node does by itself. */
  putOutHere(from: Room, whoIsIn: Room): void {
    this.online().local.in(whoIsIn).socketsLeave(from);
  }

  /**
   * Sends to every socket that is in at least one of the rooms, exactly once each: one encoding, whatever their number. To nobody when there is
   * no room: Socket.IO itself takes that for everybody.
   * @param except sockets' ids, or rooms, whose sockets are left out
   */
  toRooms<E extends keyof ServerEvents>(
    rooms: Room[],
    event: E,
    payload: ServerEvents[E],
    except?: string | string[],
  ): void {
    if (rooms.length === 0) return;
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

  /** Every socket of this node that was let in, and when it came; nobody before the server listens. */
  everybodyHere(): { socketId: string; user: Identity; since: Date }[] {
    return [...(this.server?.sockets.sockets.values() ?? [])].map(({ id, data, handshake }) => ({
      socketId: id,
      user: data.user,
      since: new Date(handshake.issued),
    }));
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
