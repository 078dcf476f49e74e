import { Injectable } from '@nestjs/common';
import { type Identity, type Party, partyOf } from '../contract/identity.js';
import { BlockService } from '../messaging/block.service.js';
import { roomNotFound } from './chat-rules.js';
import type { RoomMember } from './chat-room.schema.js';
import { type KnownRoom, KnownRooms } from './known-rooms.js';

/** A room of which the caller is a member. */
export interface OwnRoom {
  room: KnownRoom;
  party: Party;
  own: RoomMember;
}

/** Who may be in a room, and speak there. */
@Injectable()
export class ChatAccessService {
  constructor(
    private readonly rooms: KnownRooms,
    private readonly blocks: BlockService,
  ) {}

  /**
   * The room for one of its members, as it is now: whoever was removed on any node is none. One small read, shared.
   * @throws AppError NOT_FOUND for everybody else, whether it exists or not; UNAVAILABLE
   */
  async open(user: Identity, conversationId: string): Promise<OwnRoom> {
    const room = await this.rooms.read(conversationId);
    const own = room?.memberOf(user);
    if (room === null || own === undefined) throw roomNotFound();
    return { room, own, party: partyOf(user) };
  }

  /**
   * Between two a block counts as it does for direct messages; who shares a larger room with somebody whom they have blocked may leave it.
   * No round trip when it is known that nobody is blocked, else one.
   */
  async isSilenced({ room, party }: OwnRoom): Promise<boolean> {
    const [other, ...more] = room.others(party);
    return other !== undefined && more.length === 0 && (await this.blocks.isBlocked(party, other));
  }
}
