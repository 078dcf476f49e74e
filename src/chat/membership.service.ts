import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type { ChatMutedPayload, ChatRoomPayload } from '../contract/chat.js';
import { AppError } from '../contract/errors.js';
import { type Identity, type Party, partyKey, partyOf } from '../contract/identity.js';
import { BlockService } from '../messaging/block.service.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { PresenceService } from '../presence/presence.service.js';
import { ChatMessageRepository } from './chat-message.repository.js';
import { ChatRoomRepository } from './chat-room.repository.js';
import { type ChatRoom, memberOf, newMember, type RoomNotice } from './chat-room.schema.js';
import {
  additionTo,
  assertMayInvite,
  departureOf,
  mutingOf,
  type Named,
  removalFrom,
  renamingOf,
  type RoomChange,
  roomNotFound,
} from './chat-rules.js';
import type { CreateRoomDto, MuteRoomDto, RenameRoomDto, RoomMemberDto } from './chat.dto.js';
import { toRoomPayload } from './chat.mapper.js';
import { RoomNoticesService } from './room-notices.service.js';

/** A change is decided anew when another was faster; so many times in a row are no race. */
const MAX_TRIES = 50;

/**
 * Who is in which room, and what it is called (contract §6). Each change is decided on the room as it is, written on condition that it still
 * is so, and then said in the room by a system message; what was so already is acknowledged and changes nothing.
 *
 * Database waits: 2 for a change (the room; the write), more when another node was faster; before it 1 for a name, and 2 for somebody who is
 * added (what was said before, name and block, side by side); and those of the system message. Whatever the number of members.
 */
@Injectable()
export class MembershipService {
  /** By room: changes of one node do not race each other, and are told in their order. */
  private readonly inOrder = new KeyedQueue();

  constructor(
    private readonly rooms: ChatRoomRepository,
    private readonly messages: ChatMessageRepository,
    private readonly notices: RoomNoticesService,
    private readonly blocks: BlockService,
    private readonly presence: PresenceService,
  ) {}

  /**
   * Opens a room with its first members, whom a system message tells of it. A repeated clientRoomId returns the room that is there.
   * @throws AppError FORBIDDEN for a user with others than astrologers, and when one of them has blocked the caller; BAD_REQUEST for nobody
   *   but the caller; NOT_FOUND for a clientRoomId of a room in which the caller is no more; UNAVAILABLE
   */
  async create(user: Identity, { members, title, clientRoomId }: CreateRoomDto): Promise<ChatRoomPayload> {
    const own = partyKey(user);
    const invited = new Map(members.map((party) => [partyKey(party), partyOf(party)]));
    invited.delete(own);
    if (invited.size === 0) throw AppError.badField('members', 'members must name somebody besides yourself');
    assertMayInvite(user, [...invited.values()]);
    await this.assertNotBlocked(user, [...invited.values()]);
    const room = newRoom(user, [own, ...invited.keys()], title ?? '', clientRoomId ?? undefined);
    if (await this.rooms.insert(room)) {
      await this.notices.tell(room);
      return toRoomPayload(room);
    }
    const first = await this.rooms.findCreated(own, clientRoomId ?? '');
    if (first === null) throw new AppError('UNAVAILABLE', 'The room could not be opened. Try again.');
    // Whoever opened it may have been put out of it since.
    if (memberOf(first, user) === undefined) throw roomNotFound();
    await this.notices.tell(first);
    return toRoomPayload(first);
  }

  /**
   * By the owner or an admin. What was said before they came is theirs to read, and not unread to them.
   * @throws AppError NOT_FOUND to outsiders; FORBIDDEN to other members, to users who add others than astrologers, and when the person has
   *   blocked the caller; CONFLICT with state `full`; UNAVAILABLE
   */
  async add(
    user: Identity,
    socketId: string,
    { conversationId, userId, userType }: RoomMemberDto,
  ): Promise<ChatRoomPayload> {
    const party = partyOf({ id: userId, type: userType });
    const [others, subject, isBlocked] = await Promise.all([
      this.othersBefore(party, conversationId),
      this.named(party),
      this.blocks.isBlockedByAny(user, [party]),
    ]);
    return this.change(socketId, conversationId, (room) => {
      const addition = additionTo(room, user, subject, others);
      if (addition !== null && isBlocked) throw blockedError();
      return addition;
    });
  }

  /**
   * By the owner or an admin; of oneself it is leaving.
   * @throws AppError NOT_FOUND to outsiders; FORBIDDEN to other members; UNAVAILABLE
   */
  async remove(
    user: Identity,
    socketId: string,
    { conversationId, userId, userType }: RoomMemberDto,
  ): Promise<ChatRoomPayload> {
    const subject = await this.named(partyOf({ id: userId, type: userType }));
    return this.change(socketId, conversationId, (room) => removalFrom(room, user, subject));
  }

  /** Whose room it is leaves it to who has been in it for longest. @throws AppError NOT_FOUND to who is no member; UNAVAILABLE */
  leave(user: Identity, socketId: string, conversationId: string): Promise<ChatRoomPayload> {
    return this.change(socketId, conversationId, (room) => departureOf(room, user));
  }

  /** By the owner or an admin. @throws AppError NOT_FOUND to outsiders; FORBIDDEN to other members; UNAVAILABLE */
  rename(
    user: Identity,
    socketId: string,
    { conversationId, title }: RenameRoomDto,
  ): Promise<ChatRoomPayload> {
    return this.change(socketId, conversationId, (room) => renamingOf(room, user, title));
  }

  /** For oneself; nobody is told. @throws AppError NOT_FOUND to who is no member; UNAVAILABLE */
  async mute(
    user: Identity,
    socketId: string,
    { conversationId, muted }: MuteRoomDto,
  ): Promise<ChatMutedPayload> {
    await this.change(socketId, conversationId, (room) => mutingOf(room, user, muted));
    return { conversationId, muted };
  }

  private change(
    socketId: string,
    conversationId: string,
    decide: (room: ChatRoom) => RoomChange | null,
  ): Promise<ChatRoomPayload> {
    return this.inOrder.run(conversationId, async () => {
      const room = await this.write(socketId, conversationId, decide);
      await this.notices.tell(room);
      return toRoomPayload(room);
    });
  }

  /** The room as it is then. */
  private async write(
    socketId: string,
    conversationId: string,
    decide: (room: ChatRoom) => RoomChange | null,
  ): Promise<ChatRoom> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const room = await this.rooms.find(conversationId);
      if (room === null) throw roomNotFound();
      const change = decide(room);
      if (change === null) return room;
      const { update, notice: said } = change;
      const notice = said && { ...said, version: room.version + 1, at: new Date(), socketId };
      const changed = await this.rooms.change(room, withNotice(update, notice));
      if (changed !== null) return changed;
    }
    throw new AppError('UNAVAILABLE', 'The room is being changed by others. Try again.');
  }

  /** What was said by others before somebody came: it is not unread to them. */
  private async othersBefore(party: Party, conversationId: string): Promise<number> {
    return this.messages.countOthers(party, await this.messages.lastPlace(conversationId));
  }

  private async named(party: Party): Promise<Named> {
    const [name = ''] = await this.presence.namesOf([party]);
    return { ...party, name };
  }

  private async assertNotBlocked(user: Identity, invited: Party[]): Promise<void> {
    if (await this.blocks.isBlockedByAny(user, invited)) throw blockedError();
  }
}

function blockedError(): AppError {
  return new AppError('FORBIDDEN', 'This person is in no rooms with you.');
}

function withNotice(update: RoomChange['update'], notice: RoomNotice | undefined): RoomChange['update'] {
  if (notice === undefined) return update;
  return { ...update, $push: { ...update.$push, notices: notice } };
}

function newRoom(user: Identity, keys: string[], title: string, clientRoomId?: string): ChatRoom {
  const now = new Date();
  const [owner = partyKey(user)] = keys;
  const subject = { ...partyOf(user), name: user.name };
  const created = { version: 1, event: 'created', actor: user, subject, title, at: now } as const;
  return {
    _id: `chat_${new Types.ObjectId().toHexString()}`,
    version: 1,
    title,
    owner,
    members: keys.map((key) => newMember(key)),
    memberCount: keys.length,
    creator: owner,
    ...(clientRoomId !== undefined && { clientRoomId }),
    notices: [created],
    createdAt: now,
    updatedAt: now,
    activeAt: now,
    lastSeq: 0,
  };
}
