import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { Identity } from '../contract/identity.js';
import { stackOf } from '../logging/stack-of.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { type Connection, Connections } from '../realtime/connections.js';
import { EmitterService } from '../realtime/emitter.service.js';
import type { Room } from '../realtime/rooms.js';
import { OpenRoomTimes } from './open-room-times.js';
import { OpenRoomsRepository, type RoomOwner } from './open-rooms.repository.js';

/** What a kind of room needs to come back. */
export interface RoomKind {
  roomOf: (id: string) => Room;
  /** Asked before a room comes back: a ban or a lost membership says no. An error counts as no. */
  canReturn: (user: Identity, id: string) => boolean | Promise<boolean>;
}

/** A socket of this node. */
interface Guest {
  owner: RoomOwner;
  user: Identity;
  arrivedAt: Date;
  /** `kind:id`. */
  rooms: Set<string>;
  /** Whether the database may have something of this socket. */
  isStored: boolean;
  /** The write that is under way, and the one that will follow it with everything that changed meanwhile. */
  writing?: Promise<void>;
  next?: Promise<void>;
  looks: NodeJS.Timeout[];
}

/** A socket's end may be noticed a little after its owner is back, and the clocks of two nodes differ. Milliseconds. */
const OVERLAP_MS = 1000;
/** Rooms of a socket beyond these do not come back. */
const MAX_ROOMS = 1000;

/**
 * Rooms come back (contract §2): the rooms that a socket had open when it went are joined again for the next socket of the same identity that
 * connects within 60 s, before it is greeted. What was acknowledged is in the database, whoever dies when.
 *
 * A socket that went without a word is noticed late, and its owner is back by then: whoever arrives while other sockets of theirs have rooms
 * open gets those that turn out to have been silent since before the arrival.
 *
 * Round trips: one for each arrival, three more when rooms come back; one for all that a socket opens or closes while another is under way.
 */
@Injectable()
export class RoomMemory implements BeforeApplicationShutdown {
  private readonly logger = new Logger(RoomMemory.name);
  private readonly kinds = new Map<string, RoomKind>();
  private readonly guests = new Map<string, Guest>();
  /** What is still being written of sockets that went, by identity: who comes back at once waits for it. */
  private readonly departures = new Map<string, Promise<void>>();
  private isClosing = false;

  constructor(
    connections: Connections,
    private readonly registry: NodeRegistry,
    private readonly emitter: EmitterService,
    private readonly stored: OpenRoomsRepository,
    private readonly times: OpenRoomTimes,
  ) {
    connections.onArrival((connection) => this.arrived(connection));
    connections.onDeparture(({ socketId }, silentMs) => this.departed(socketId, silentMs));
    registry.onNodeLost(async ({ nodeId, aliveAt }) => {
      await this.stored.markNodeGone(nodeId, aliveAt);
      for (const guest of this.guests.values()) if (guest.looks.length > 0) void this.lookAgain(guest);
    });
    registry.onTakenForLost(async () => {
      await Promise.all(
        [...this.guests.values()].filter(({ rooms }) => rooms.size > 0).map((guest) => this.save(guest)),
      );
    });
  }

  /** Rooms of a kind that nobody has registered do not come back. To be called in a constructor. */
  register(kind: string, rules: RoomKind): void {
    this.kinds.set(kind, rules);
  }

  /**
   * Notes that a socket of this node has joined a room; when it resolves, the room will come back. One round trip, shared.
   * @throws the database's error
   */
  async enter(socketId: string, kind: string, id: string): Promise<void> {
    const guest = this.guests.get(socketId);
    const room = `${kind}:${id}`;
    if (guest === undefined || guest.rooms.size >= MAX_ROOMS) return;
    // Not skipped when it is there already: the write that put it there may have failed.
    guest.rooms.add(room);
    await this.save(guest);
  }

  /**
   * Notes that a socket has left a room, which does not come back then. No round trip for a room that it was not in.
   * @throws the database's error
   */
  async leave(socketId: string, kind: string, id: string): Promise<void> {
    const guest = this.guests.get(socketId);
    if (guest?.rooms.delete(`${kind}:${id}`)) await this.save(guest);
  }

  /** The sockets that go from now on have a node that goes: others mark them by that. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
    for (const { looks } of this.guests.values()) for (const timer of looks) clearTimeout(timer);
  }

  private async arrived({ socketId, user }: Connection): Promise<void> {
    const owner = { socketId, identity: `${user.type}:${user.id}`, nodeId: this.registry.nodeId };
    const guest: Guest = { owner, user, arrivedAt: new Date(), rooms: new Set(), isStored: false, looks: [] };
    this.guests.set(socketId, guest);
    await this.departures.get(owner.identity);
    await this.bringBack(guest);
    void this.watchOthers(guest);
  }

  private async bringBack(guest: Guest, heardUntil?: Date): Promise<void> {
    const since = new Date(Date.now() - this.times.returnMs);
    const rooms = await this.stored.claim(guest.owner, since, heardUntil);
    if (rooms.length === 0) return;
    for (const room of rooms) await this.rejoin(guest, room);
    await this.save(guest);
    await this.stored.dropClaimed(guest.owner.socketId);
    // It went while this was under way: its departure may have been noted before.
    const { socketId } = guest.owner;
    if (this.guests.get(socketId) !== guest) await this.markGone(socketId, new Date(), guest.arrivedAt);
  }

  private async rejoin({ owner, user, rooms }: Guest, room: string): Promise<void> {
    const colon = room.indexOf(':');
    const id = room.slice(colon + 1);
    const kind = this.kinds.get(room.slice(0, colon));
    try {
      if (kind === undefined || !(await kind.canReturn(user, id))) return;
      await this.emitter.joinRoom(owner.socketId, kind.roomOf(id));
      rooms.add(room);
    } catch (error) {
      this.logger.error('A room did not come back', stackOf(error));
    }
  }

  /** Never rejects. */
  private async watchOthers(guest: Guest): Promise<void> {
    try {
      if (!(await this.stored.hasOpenBeside(guest.owner))) return;
      if (this.isClosing || !this.guests.has(guest.owner.socketId)) return;
      guest.looks = this.times.lookAgainMs.map((ms) =>
        setTimeout(() => void this.lookAgain(guest), ms).unref(),
      );
    } catch (error) {
      this.logger.warn(`Rooms of other sockets could not be looked for: ${(error as Error).name}`);
    }
  }

  /** Never rejects. */
  private async lookAgain(guest: Guest): Promise<void> {
    const heardUntil = new Date(guest.arrivedAt.getTime() + OVERLAP_MS);
    await this.bringBack(guest, heardUntil).catch((error: unknown) =>
      this.logger.warn(`Rooms of another socket could not be brought back: ${(error as Error).name}`),
    );
  }

  private async departed(socketId: string, silentMs: number): Promise<void> {
    const guest = this.guests.get(socketId);
    if (guest === undefined) return;
    this.guests.delete(socketId);
    for (const timer of guest.looks) clearTimeout(timer);
    if (!guest.isStored) return;
    const { identity } = guest.owner;
    const departure = Promise.all([this.departures.get(identity), this.noteDeparture(guest, silentMs)]).then(
      () => {
        if (this.departures.get(identity) === departure) this.departures.delete(identity);
      },
    );
    this.departures.set(identity, departure);
    await departure;
  }

  /** Never rejects. */
  private async noteDeparture({ owner, writing, next }: Guest, silentMs: number): Promise<void> {
    const goneAt = new Date();
    await Promise.allSettled([writing, next]);
    await this.markGone(owner.socketId, goneAt, new Date(goneAt.getTime() - silentMs));
  }

  /** Until it is written: only the loss of this node would do it else. Never rejects. */
  private async markGone(socketId: string, goneAt: Date, heardAt: Date): Promise<void> {
    try {
      await this.stored.markGone(socketId, goneAt, heardAt);
    } catch (error) {
      if (this.isClosing) return;
      this.logger.warn(`The rooms of a socket that went were not noted: ${(error as Error).name}`);
      setTimeout(() => void this.markGone(socketId, goneAt, heardAt), this.times.retryMs).unref();
    }
  }

  /** Writes the guest's rooms as they are when the write begins. Whoever comes while one is under way shares the next. */
  private save(guest: Guest): Promise<void> {
    if (guest.next !== undefined) return guest.next;
    const write = (): Promise<void> => {
      guest.next = undefined;
      guest.isStored = true;
      const writing = this.stored.save(guest.owner, [...guest.rooms]).finally(() => {
        if (guest.writing === writing) guest.writing = undefined;
      });
      guest.writing = writing;
      return writing;
    };
    if (guest.writing === undefined) return write();
    guest.next = guest.writing.then(write, write);
    return guest.next;
  }
}
