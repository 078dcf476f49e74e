import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Party, partyKey, partyOf, partyOfKey } from '../contract/identity.js';
import { personalRoom, type Room } from '../realtime/rooms.js';
import { ChatRoomRepository, type Membership } from './chat-room.repository.js';
import type { RoomMember } from './chat-room.schema.js';

/** Members of all rooms that are remembered; some 200 bytes each. */
const REMEMBERED_MEMBERS = 500_000;

/** Who belongs to a room, at one moment. */
export class KnownRoom {
  readonly conversationId: string;
  readonly version: number;
  readonly owner: string | null;
  /** By `partyKey`, in the order in which they joined. */
  readonly members: ReadonlyMap<string, RoomMember>;
  /** Where every socket of every member is. */
  readonly personalRooms: Room[];

  constructor({ _id, version, owner, members }: Membership) {
    this.conversationId = _id;
    this.version = version;
    this.owner = owner;
    this.members = new Map(members.map((member) => [member.key, member]));
    this.personalRooms = members.map(({ key }) => personalRoom(partyOfKey(key)));
  }

  memberOf(user: Party): RoomMember | undefined {
    return this.members.get(partyKey(partyOf(user)));
  }

  /** All but one. */
  others(than: Party): Party[] {
    const own = partyKey(partyOf(than));
    return [...this.members.keys()].filter((key) => key !== own).map(partyOfKey);
  }
}

/** Looks at one room that are under way and to come. */
interface Looks {
  current: Promise<KnownRoom | null>;
  next?: Promise<KnownRoom | null>;
}

/**
 * Who belongs to which room. Members come and go, on any node, so what is remembered is only believed when the database says that its version
 * is still the same: one small read, shared by all who ask while the one before is under way. The members themselves are read when they have
 * changed.
 */
@Injectable()
export class KnownRooms {
  private readonly known = new LRUCache<string, KnownRoom>({
    maxSize: REMEMBERED_MEMBERS,
    sizeCalculation: ({ members }) => members.size + 1,
  });
  private readonly looks = new Map<string, Looks>();

  constructor(private readonly rooms: ChatRoomRepository) {
    rooms.onConnectionLost(() => this.known.clear());
  }

  /** The room as it is at a moment after the call; null when there is none. One round trip, shared; one more when members have changed. */
  read(conversationId: string): Promise<KnownRoom | null> {
    const looks = this.looks.get(conversationId);
    if (looks === undefined) {
      const started: Looks = { current: this.look(conversationId) };
      this.looks.set(conversationId, started);
      void this.goOn(conversationId, started);
      return started.current;
    }
    looks.next ??= looks.current.then(
      () => this.look(conversationId),
      () => this.look(conversationId),
    );
    return looks.next;
  }

  /** Until nobody asks any more. */
  private async goOn(conversationId: string, looks: Looks): Promise<void> {
    for (;;) {
      await looks.current.catch(() => undefined);
      if (looks.next === undefined) break;
      looks.current = looks.next;
      looks.next = undefined;
    }
    this.looks.delete(conversationId);
  }

  private async look(conversationId: string): Promise<KnownRoom | null> {
    const known = this.known.get(conversationId);
    if (known !== undefined && (await this.rooms.findVersion(conversationId)) === known.version) return known;
    const found = await this.rooms.findMembership(conversationId);
    if (found === null) {
      this.known.delete(conversationId);
      return null;
    }
    const room = new KnownRoom(found);
    this.known.set(conversationId, room);
    return room;
  }
}
