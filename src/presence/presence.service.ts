import { Injectable } from '@nestjs/common';
import type { PresencePayload, StatsPayload } from '../contract/presence.js';
import { type Identity, type Party, partyKey, SHARED_ADMIN_ID } from '../contract/identity.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { personalRoom } from '../realtime/rooms.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceStore } from './presence.store.js';
import { type PresenceChange, PresenceTracker } from './presence-tracker.js';

/** Who is connected, on any node (contract §7). All admins are one party. */
@Injectable()
export class PresenceService {
  constructor(
    private readonly tracker: PresenceTracker,
    private readonly store: PresenceStore,
    private readonly people: PresenceRepository,
    private readonly emitter: EmitterService,
  ) {
    tracker.onChange((change) => this.tellAdmins(change));
  }

  /**
   * Whether somebody has a socket at this moment. Synchronous with one node, and for whoever is on this one; else one Redis command,
   * 0.4 s at the most. Never rejects: while Redis is away it is about this node alone.
   */
  isOnline(party: Party): boolean | Promise<boolean> {
    const online = this.areOnline([party]);
    return online instanceof Promise ? online.then(([isOnline = false]) => isOnline) : (online[0] ?? false);
  }

  /** The same for many, up to a few thousand, in their order: one Redis command for all of them, or none. */
  areOnline(parties: Party[]): boolean[] | Promise<boolean[]> {
    return this.store.areOnline(parties.map(partyKey));
  }

  /**
   * In the order of `parties`; who was never here is offline with `lastSeen` null. One read, and one Redis command with several nodes.
   * @throws AppError UNAVAILABLE
   */
  async get(parties: Party[]): Promise<PresencePayload[]> {
    const keys = parties.map(partyKey);
    const [online, stored] = await Promise.all([this.store.areOnline(keys), this.people.findMany(keys)]);
    const known = new Map(stored.map((entry) => [entry._id, entry]));
    const now = new Date();
    return parties.map(({ id, type }, index) => {
      const key = keys[index] as string;
      const isOnline = online[index] ?? false;
      const entry = known.get(key);
      // Who is noted to be on a node and is not went within the last seconds; the database learns the time behind it.
      const wasJustHere = isOnline || (entry !== undefined && entry.nodes.length > 0);
      const lastSeen = isOnline
        ? now
        : (this.tracker.goneAt(key) ?? (wasJustHere ? now : (entry?.lastSeen ?? null)));
      return { id, type, isOnline, lastSeen: lastSeen?.toISOString() ?? null };
    });
  }

  /**
   * The names under which they are on this node, or were last on any; in the order of `parties`, and empty for who never was. One read.
   * @throws AppError UNAVAILABLE
   */
  async namesOf(parties: Party[]): Promise<string[]> {
    const keys = parties.map(partyKey);
    const stored = await this.people.findMany(keys);
    const names = new Map(stored.map(({ _id, name }) => [_id, name]));
    // Who came a moment ago may not be noted yet.
    const nameHere = (party: Party): string | undefined =>
      this.emitter.identitiesIn(personalRoom(party)).at(-1)?.name;
    return parties.map((party, index) => nameHere(party) ?? names.get(keys[index] as string) ?? '');
  }

  /**
   * `handler` is called for each change, on one node of all: once, and twice for an online that comes within a minute after they went. An
   * offline comes 5 s after the last socket went, or after its node was found to be lost; who is back by then was never gone. What it throws
   * is logged.
   */
  onChange(handler: (change: PresenceChange) => unknown): void {
    this.tracker.onChange(handler);
  }

  /** For admins, who also get it as the event `stats`; for others nothing. Costs as much as there are people online. */
  async stats(user: Identity, socketId: string): Promise<StatsPayload | object> {
    if (user.type !== 'admin') return {};
    const counts = await this.store.count();
    const stats: StatsPayload = {
      connectedSockets: this.tracker.socketCount,
      onlineUsers: counts.user,
      onlineAstrologers: counts.astrologer,
      onlineAdmins: counts.admin,
      uptimeSeconds: Math.floor(process.uptime()),
      timestamp: new Date().toISOString(),
    };
    this.emitter.toSocket(socketId, 'stats', stats);
    return stats;
  }

  private tellAdmins({ person, isOnline, lastSeen }: PresenceChange): void {
    if (person.type !== 'astrologer') return;
    this.emitter.toRooms(
      [personalRoom({ id: SHARED_ADMIN_ID, type: 'admin' })],
      'astrologer:status_changed',
      {
        astrologerId: person.id,
        isOnline,
        lastSeen: lastSeen.toISOString(),
        name: person.name,
        profilePicture: person.avatar,
      },
    );
  }
}
