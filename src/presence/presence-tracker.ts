import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { type Identity, partyKey, partyOf } from '../contract/identity.js';
import { OutageLog } from '../logging/outage-log.js';
import { stackOf } from '../logging/stack-of.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { type Connection, Connections } from '../realtime/connections.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceStore } from './presence.store.js';
import { PresenceTimes } from './presence-times.js';

/** Somebody came online or went offline. */
export interface PresenceChange {
  /** All admins are one party. */
  person: Identity;
  isOnline: boolean;
  lastSeen: Date;
}

/** Somebody who has a socket on this node, or had one and is not written off yet. */
interface Guest {
  person: Identity;
  sockets: Set<string>;
  /** When the last socket went. */
  goneAt?: Date;
  /** Runs from then until the offline counts. */
  grace?: NodeJS.Timeout;
  /** Whether the database says that they are on this node. */
  isStored: boolean;
  isWriting: boolean;
}

/** Of this many people at a time the database is told; it has others to serve. */
const WRITES_AT_ONCE = 50;

/**
 * Follows the sockets of this node into the store, which says who is online, and, 5 s behind those that go, into the database, which decides
 * who announces it (contract §7).
 *
 * Round trips: one to Redis and one to the database when somebody's first socket of this node comes, and the same when the last one went.
 */
@Injectable()
export class PresenceTracker implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceTracker.name);
  private readonly outage = new OutageLog(this.logger, 'Presence cannot be noted for now');
  private readonly guests = new Map<string, Guest>();
  private readonly handlers: ((change: PresenceChange) => unknown)[] = [];
  /** Whom the database could not be told of. */
  private readonly unsettled = new Map<string, Guest>();
  private retry: NodeJS.Timeout | undefined;
  private sockets = 0;
  private isClosing = false;

  constructor(
    connections: Connections,
    private readonly registry: NodeRegistry,
    private readonly people: PresenceRepository,
    private readonly store: PresenceStore,
    private readonly times: PresenceTimes,
  ) {
    connections.onArrival((connection) => this.arrived(connection));
    connections.onDeparture((connection) => this.departed(connection));
    registry.onTakenForLost(() => this.writeAgain());
  }

  /**
   * `handler` is called on one node of all for each change, and 1.5 s later once more for a return within a minute. Not at all when that node
   * dies in the instant between write and call.
   */
  onChange(handler: (change: PresenceChange) => unknown): void {
    this.handlers.push(handler);
  }

  /** Of this node, everybody's. */
  get socketCount(): number {
    return this.sockets;
  }

  hasSocket(key: string): boolean {
    return (this.guests.get(key)?.sockets.size ?? 0) > 0;
  }

  /** When the last socket of somebody went who is still within the grace here. */
  goneAt(key: string): Date | undefined {
    return this.guests.get(key)?.goneAt;
  }

  /** Of somebody who is noted to be on this node: unless they are, they are noted to be gone. Never rejects. */
  async writeOff(person: Identity, lastSeen: Date): Promise<void> {
    const key = partyKey(person);
    if (this.guests.has(key)) return;
    const guest: Guest = { person, sockets: new Set(), goneAt: lastSeen, isStored: true, isWriting: false };
    this.guests.set(key, guest);
    await this.settle(key, guest);
  }

  /** From now on the sockets go because the node does: others write their owners off, when they do not come to them. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
    clearTimeout(this.retry);
    for (const { grace } of this.guests.values()) clearTimeout(grace);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }

  private async arrived({ socketId, user }: Connection): Promise<void> {
    const key = partyKey(user);
    const person = { ...user, ...partyOf(user) };
    let guest = this.guests.get(key);
    if (guest === undefined) {
      guest = { person, sockets: new Set(), isStored: false, isWriting: false };
      this.guests.set(key, guest);
    }
    clearTimeout(guest.grace);
    guest.person = person;
    guest.grace = guest.goneAt = undefined;
    guest.sockets.add(socketId);
    this.sockets += 1;
    void this.settle(key, guest);
    if (guest.sockets.size === 1) await this.store.add(key);
  }

  private async departed({ socketId, user }: Connection): Promise<void> {
    const key = partyKey(user);
    const guest = this.guests.get(key);
    if (guest === undefined || !guest.sockets.delete(socketId)) return;
    this.sockets -= 1;
    if (guest.sockets.size > 0) return;
    guest.goneAt = new Date();
    if (!this.isClosing) {
      guest.grace = setTimeout(() => {
        guest.grace = undefined;
        void this.settle(key, guest);
      }, this.times.offlineDelayMs).unref();
    }
    await this.store.remove(key);
  }

  /** Writes until the database says of the guest what is so; one write at a time. Never rejects: what failed is tried again later. */
  private async settle(key: string, guest: Guest): Promise<void> {
    if (guest.isWriting || this.isClosing) return;
    this.unsettled.delete(key);
    guest.isWriting = true;
    try {
      while (isHere(guest) !== guest.isStored) await this.write(key, guest, isHere(guest));
      if (!guest.isStored && this.guests.get(key) === guest) this.guests.delete(key);
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
      this.unsettled.set(key, guest);
      this.tryAgainLater();
    } finally {
      guest.isWriting = false;
    }
  }

  /** One timer for all: while the database is away, a thousand people must not mean a thousand tries. */
  private tryAgainLater(): void {
    if (this.retry !== undefined || this.isClosing) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.settleUnsettled();
    }, this.times.retryMs).unref();
  }

  private async settleUnsettled(): Promise<void> {
    const [first, ...others] = this.unsettled;
    if (first === undefined) return;
    await this.settle(...first);
    if (!this.unsettled.has(first[0])) await this.settleAll(others);
  }

  private async settleAll(people: [string, Guest][]): Promise<void> {
    for (let i = 0; i < people.length; i += WRITES_AT_ONCE) {
      await Promise.all(people.slice(i, i + WRITES_AT_ONCE).map((entry) => this.settle(...entry)));
    }
  }

  private async write(key: string, guest: Guest, isOnline: boolean): Promise<void> {
    const { nodeId } = this.registry;
    const at = guest.goneAt ?? new Date();
    if (isOnline) {
      const before = await this.people.addNode(guest.person, nodeId, at);
      guest.isStored = true;
      if (before !== null && before.nodes.length > 0) return;
      const change = { person: guest.person, isOnline, lastSeen: at };
      this.announce(change);
      if (before !== null && at.getTime() - before.lastSeen.getTime() < this.times.closeReturnMs)
        this.repeatLater(guest, change);
    } else {
      const left = await this.people.removeNode(key, nodeId, at);
      guest.isStored = false;
      if (left?.nodes.length === 0)
        this.announce({ person: guest.person, isOnline, lastSeen: left.lastSeen });
    }
  }

  /** Broadcasts of two nodes have no order: the offline before this may arrive after it, and must not be the last word. */
  private repeatLater(guest: Guest, change: PresenceChange): void {
    setTimeout(() => {
      if (isHere(guest) && guest.isStored && !this.isClosing) this.announce(change);
    }, this.times.repeatMs).unref();
  }

  private announce(change: PresenceChange): void {
    for (const handler of this.handlers) void this.tell(handler, change);
  }

  private async tell(handler: (change: PresenceChange) => unknown, change: PresenceChange): Promise<void> {
    try {
      await handler(change);
    } catch (error) {
      this.logger.error('A change of presence could not be told', stackOf(error));
    }
  }

  /** Others have taken this node for lost, and written off its people. */
  private async writeAgain(): Promise<void> {
    const here = [...this.guests].filter(([, { sockets }]) => sockets.size > 0);
    for (const [, guest] of here) guest.isStored = false;
    await this.settleAll(here);
  }
}

function isHere({ sockets, grace }: Guest): boolean {
  return sockets.size > 0 || grace !== undefined;
}
