import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { Identity } from '../contract/identity.js';
import { isDatabaseAway } from '../database/database-errors.js';
import { OutageLog } from '../logging/outage-log.js';
import { stackOf } from '../logging/stack-of.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { type Connection, Connections } from '../realtime/connections.js';
import { EmitterService } from '../realtime/emitter.service.js';
import type { Room } from '../realtime/rooms.js';
import { OpenRoomTimes } from './open-room-times.js';
import { OpenRoomsRepository } from './open-rooms.repository.js';
import type { OpenRooms } from './open-rooms.schema.js';
import { returningRooms } from './returning-rooms.js';

/** What a kind of room needs to come back. */
export interface RoomKind {
  roomOf: (id: string) => Room;
  /** Asked before a room comes back: a ban or a lost membership says no. An error counts as no; while the database is away it is asked again. */
  canReturn: (user: Identity, id: string) => boolean | Promise<boolean>;
  /** Asked again when the socket is in the room: what emptied the room between did not see it. Everybody may stay where this is left out. */
  mayStay?: (user: Identity, id: string, socketId: string) => boolean | Promise<boolean>;
}

/** A socket of this node. Rooms are `kind:id`. */
interface LocalSocket {
  socketId: string;
  user: Identity;
  arrivedAt: Date;
  rooms: Set<string>;
  /** What came back to it, and what it left of that, or while that was not known yet. */
  returned: Set<string>;
  left: Set<string>;
  /** Whether it has got back what there was for it. */
  isComplete: boolean;
  /** Whether the database may have something of this socket. */
  isStored: boolean;
  /** The write that is under way, and the one that will follow it with everything that changed meanwhile. */
  writing?: Promise<void>;
  next?: Promise<void>;
}

/** Rooms of a socket beyond these do not come back. */
const MAX_ROOMS = 1000;

/**
 * Rooms come back (contract §2): a new socket is in the rooms that other sockets of the same identity have open, or had open when they went
 * within the last 60 s, before it is greeted. What was acknowledged is in the database, whoever dies when. Nothing comes later than the
 * arrival, unless the database was away, and nothing is taken from anybody: a socket that went without a word still looks open when its
 * owner is back, and of several that went nobody knows which one continues which.
 *
 * Round trips: one for each arrival, one more when rooms come back; one for all that a socket opens or closes while another is under way;
 * one when a socket goes that had any.
 */
@Injectable()
export class RoomMemory implements BeforeApplicationShutdown {
  private readonly logger = new Logger(RoomMemory.name);
  private readonly outage = new OutageLog(this.logger, 'Open rooms cannot be read and noted for now');
  private readonly kinds = new Map<string, RoomKind>();
  private readonly sockets = new Map<string, LocalSocket>();
  /** What the database could not be asked, or told, of sockets that came and went. */
  private readonly incomplete = new Set<LocalSocket>();
  private readonly unwritten = new Map<string, OpenRooms>();
  private retry: NodeJS.Timeout | undefined;
  private isClosing = false;

  constructor(
    connections: Connections,
    private readonly registry: NodeRegistry,
    private readonly emitter: EmitterService,
    private readonly stored: OpenRoomsRepository,
    private readonly times: OpenRoomTimes,
  ) {
    connections.onArrival((connection) => this.arrived(connection));
    connections.onDeparture(({ socketId }) => this.departed(socketId));
    registry.onNodeLost(({ nodeId, aliveAt }) => this.stored.markNodeGone(nodeId, aliveAt));
    registry.onTakenForLost(async () => {
      await Promise.all(
        [...this.sockets.values()].filter(({ isStored }) => isStored).map((socket) => this.save(socket)),
      );
    });
  }

  /** Rooms of a kind that nobody has registered do not come back. To be called in a constructor. */
  register(kind: string, rules: RoomKind): void {
    this.kinds.set(kind, rules);
  }

  /**
   * Notes that a socket of this node has joined a room; when it resolves, the room will come back, unless the socket is in 1,000 already.
   * One round trip, shared.
   * @throws the database's error
   */
  async enter(socketId: string, kind: string, id: string): Promise<void> {
    const socket = this.sockets.get(socketId);
    const room = `${kind}:${id}`;
    socket?.left.delete(room);
    if (socket === undefined || (socket.rooms.size >= MAX_ROOMS && !socket.rooms.has(room))) return;
    // Not skipped when it is there already: the write that put it there may have failed.
    socket.rooms.add(room);
    await this.save(socket);
  }

  /**
   * Notes that a socket has left a room, which does not come back then but for what others of its identity have open. No round trip for a
   * room that it was not in.
   * @throws the database's error
   */
  async leave(socketId: string, kind: string, id: string): Promise<void> {
    const socket = this.sockets.get(socketId);
    if (socket === undefined) return;
    const room = `${kind}:${id}`;
    if (!socket.isComplete || socket.returned.has(room)) socket.left.add(room);
    if (socket.rooms.delete(room)) await this.save(socket);
  }

  /** The sockets that go from now on have a node that goes: others mark them by that. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
    clearTimeout(this.retry);
  }

  private async arrived({ socketId, user }: Connection): Promise<void> {
    const socket: LocalSocket = {
      socketId,
      user,
      arrivedAt: new Date(),
      rooms: new Set(),
      returned: new Set(),
      left: new Set(),
      isComplete: false,
      isStored: false,
    };
    this.sockets.set(socketId, socket);
    await this.bringBack(socket);
  }

  /** Never rejects: what could not be read or written is tried again, as long as it is of use. */
  private async bringBack(socket: LocalSocket): Promise<void> {
    const { socketId, user, arrivedAt } = socket;
    this.incomplete.delete(socket);
    try {
      if (!socket.isComplete) {
        const since = new Date(arrivedAt.getTime() - this.times.returnMs);
        const rooms = returningRooms(await this.stored.findBeside(socketId, identityOf(user), since));
        const missing = rooms.slice(0, MAX_ROOMS).filter((room) => !socket.returned.has(room));
        const results = await Promise.allSettled(missing.map((room) => this.rejoin(socket, room)));
        const failed = results.find((result) => result.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
        socket.isComplete = true;
        for (const room of socket.left) if (!socket.returned.has(room)) socket.left.delete(room);
      }
      if (socket.returned.size > 0 && this.has(socket)) await this.save(socket);
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
      const isOfUse = socket.isComplete || Date.now() - arrivedAt.getTime() < this.times.returnMs;
      if (this.has(socket) && isOfUse) this.incomplete.add(socket);
      this.tryAgainLater();
    }
  }

  /** @throws the database's error when it is away */
  private async rejoin(socket: LocalSocket, room: string): Promise<void> {
    const colon = room.indexOf(':');
    const id = room.slice(colon + 1);
    const kind = this.kinds.get(room.slice(0, colon));
    try {
      if (kind === undefined || !(await kind.canReturn(socket.user, id)) || !this.has(socket)) return;
      socket.returned.add(room);
      if (socket.left.has(room)) return;
      socket.rooms.add(room);
      await this.emitter.joinRoom(socket.socketId, kind.roomOf(id));
      await this.leaveUnlessMayStay(socket, kind, id, room);
    } catch (error) {
      socket.returned.delete(room);
      if (isDatabaseAway(error)) throw error;
      this.logger.error('A room did not come back', stackOf(error));
    }
  }

  private async leaveUnlessMayStay(
    socket: LocalSocket,
    { mayStay, roomOf }: RoomKind,
    id: string,
    room: string,
  ): Promise<void> {
    let stays = mayStay === undefined;
    try {
      stays ||= (await mayStay?.(socket.user, id, socket.socketId)) === true;
    } finally {
      if (!stays) {
        socket.rooms.delete(room);
        await this.emitter.leaveRoom(socket.socketId, roomOf(id));
      }
    }
  }

  private has(socket: LocalSocket): boolean {
    return this.sockets.get(socket.socketId) === socket;
  }

  private async departed(socketId: string): Promise<void> {
    const socket = this.sockets.get(socketId);
    if (socket === undefined) return;
    const goneAt = new Date();
    this.sockets.delete(socketId);
    this.incomplete.delete(socket);
    if (!socket.isStored) return;
    await Promise.allSettled([socket.writing, socket.next]);
    // Until it is written: only the loss of this node would do it else.
    this.unwritten.set(socketId, this.entryOf(socket, goneAt));
    // While the database is away it is not asked by everyone who goes.
    if (this.retry === undefined) await this.writeDepartures();
  }

  /** Never rejects. */
  private async writeDepartures(): Promise<void> {
    const entries = [...this.unwritten.values()];
    if (entries.length === 0 || this.isClosing) return;
    this.unwritten.clear();
    try {
      await this.stored.saveMany(entries);
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
      for (const entry of entries) this.unwritten.set(entry._id, entry);
      this.tryAgainLater();
    }
  }

  /** One timer for all: while the database is away, a thousand sockets must not ask it a thousand times. */
  private tryAgainLater(): void {
    if (this.retry !== undefined || this.isClosing) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.writeDepartures();
      void this.bringBackIncomplete();
    }, this.times.retryMs).unref();
  }

  private async bringBackIncomplete(): Promise<void> {
    const [first, ...others] = this.incomplete;
    if (first === undefined) return;
    await this.bringBack(first);
    if (!this.incomplete.has(first)) await Promise.all(others.map((socket) => this.bringBack(socket)));
  }

  private entryOf({ socketId, user, arrivedAt, rooms, left }: LocalSocket, goneAt?: Date): OpenRooms {
    const { nodeId } = this.registry;
    const entry = { _id: socketId, identity: identityOf(user), nodeId, arrivedAt };
    return { ...entry, rooms: [...rooms], left: [...left], ...(goneAt && { goneAt }) };
  }

  /** Writes the socket's rooms as they are when the write begins. Whoever comes while one is under way shares the next. */
  private save(socket: LocalSocket): Promise<void> {
    if (socket.next !== undefined) return socket.next;
    const write = (): Promise<void> => {
      socket.next = undefined;
      socket.isStored = true;
      const writing = this.stored.save(this.entryOf(socket)).finally(() => {
        if (socket.writing === writing) socket.writing = undefined;
      });
      socket.writing = writing;
      return writing;
    };
    if (socket.writing === undefined) return write();
    socket.next = socket.writing.then(write, write);
    return socket.next;
  }
}

function identityOf({ type, id }: Identity): string {
  return `${type}:${id}`;
}
