import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { type Identity, partyKey, partyOf, partyOfKey } from '../contract/identity.js';
import { stackOf } from '../logging/stack-of.js';
import { type LostNode, NodeRegistry } from '../nodes/node-registry.js';
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
  /** Runs from then until the offline counts; `retry`, until a failed write is tried again. */
  grace?: NodeJS.Timeout;
  retry?: NodeJS.Timeout;
  /** Whether the database says that they are on this node. */
  isStored: boolean;
  isWriting: boolean;
}

/**
 * Follows the sockets of this node into the store, which says who is online, and, 5 s behind those that go, into the database, which decides
 * who announces it (contract §7). What this node had not written off when it died is written off by another: nobody stays online for ever.
 *
 * Round trips: one to Redis and one to the database when somebody's first socket of this node comes, and the same when the last one went.
 */
@Injectable()
export class PresenceTracker implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceTracker.name);
  private readonly guests = new Map<string, Guest>();
  private readonly handlers: ((change: PresenceChange) => unknown)[] = [];
  private readonly sweeps = new Set<NodeJS.Timeout>();
  private readonly startedAt = performance.now();
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
    registry.onNodeLost((node) => this.takeOver(node));
    registry.onTakenForLost(() => this.writeAgain());
  }

  /** `handler` is called on one node of all for each change. Not at all when that node dies in the instant between write and call. */
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

  /** From now on the sockets go because the node does: others write their owners off, when they do not come to them. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
    for (const timer of this.sweeps) clearTimeout(timer);
    for (const { grace, retry } of this.guests.values()) {
      clearTimeout(grace);
      clearTimeout(retry);
    }
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
    clearTimeout(guest.retry);
    guest.retry = undefined;
    guest.isWriting = true;
    try {
      while (isHere(guest) !== guest.isStored) await this.write(key, guest, isHere(guest));
      if (!guest.isStored && this.guests.get(key) === guest) this.guests.delete(key);
    } catch (error) {
      this.logger.warn(`The presence of a ${guest.person.type} was not noted: ${(error as Error).name}`);
      if (!this.isClosing)
        guest.retry = setTimeout(() => void this.settle(key, guest), this.times.retryMs).unref();
    } finally {
      guest.isWriting = false;
    }
  }

  private async write(key: string, guest: Guest, isOnline: boolean): Promise<void> {
    const { nodeId } = this.registry;
    const at = guest.goneAt ?? new Date();
    if (isOnline) {
      const isNews = await this.people.addNode(guest.person, nodeId, at);
      guest.isStored = true;
      if (isNews) this.announce({ person: guest.person, isOnline, lastSeen: at });
    } else {
      const left = await this.people.removeNode(key, nodeId, at);
      guest.isStored = false;
      if (left?.nodes.length === 0)
        this.announce({ person: guest.person, isOnline, lastSeen: left.lastSeen });
    }
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

  /**
   * The people of a lost node are this node's, without a socket, from here on. Who was seen only just now, or can come back only since this
   * node listens, has the usual time to do so; the others had it.
   */
  private async takeOver({ nodeId, aliveAt }: LostNode): Promise<void> {
    await this.people.adopt(nodeId, this.registry.nodeId, aliveAt);
    await this.store.forgetNode(nodeId);
    const { offlineDelayMs } = this.times;
    const isFresh = performance.now() - this.startedAt < 2 * offlineDelayMs;
    const mayReturn = isFresh || Date.now() - aliveAt.getTime() < 2 * offlineDelayMs;
    this.sweepIn(mayReturn ? offlineDelayMs : 0);
  }

  private sweepIn(delayMs: number): void {
    if (this.isClosing) return;
    const timer = setTimeout(() => {
      this.sweeps.delete(timer);
      this.sweep().catch((error: unknown) => {
        this.logger.warn(`A lost node's people were not written off: ${(error as Error).name}`);
        this.sweepIn(this.times.retryMs);
      });
    }, delayMs).unref();
    this.sweeps.add(timer);
  }

  /** Writes off everybody who is noted to be here and is not. */
  private async sweep(): Promise<void> {
    for (const { _id: key, name = '', avatar = '', lastSeen } of await this.people.findOnNode(
      this.registry.nodeId,
    )) {
      if (this.guests.has(key)) continue;
      const person = { ...partyOfKey(key), name, avatar };
      const guest: Guest = { person, sockets: new Set(), goneAt: lastSeen, isStored: true, isWriting: false };
      this.guests.set(key, guest);
      await this.settle(key, guest);
    }
  }

  /** Others have taken this node for lost, and written off its people. */
  private async writeAgain(): Promise<void> {
    for (const [key, guest] of this.guests) {
      if (guest.sockets.size === 0) continue;
      guest.isStored = false;
      await this.settle(key, guest);
    }
  }
}

function isHere({ sockets, grace }: Guest): boolean {
  return sockets.size > 0 || grace !== undefined;
}
