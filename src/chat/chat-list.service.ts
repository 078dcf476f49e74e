import { Injectable } from '@nestjs/common';
import type {
  ChatMemberPayload,
  ChatMembersPayload,
  ChatRoomEntryPayload,
  ChatRoomsPayload,
} from '../contract/chat.js';
import { type Identity, type Party, partyOf, partyOfKey } from '../contract/identity.js';
import { pageOf, windowOf } from '../messaging/conversation-window.js';
import type { ConversationsDto } from '../messaging/conversations.dto.js';
import { markId } from '../messaging/mark.schema.js';
import { ReadMarks } from '../messaging/read-marks.js';
import { PresenceService } from '../presence/presence.service.js';
import { ChatAccessService } from './chat-access.service.js';
import { ChatLastMessageService } from './chat-last-message.service.js';
import { ChatMarkRepository } from './chat-mark.repository.js';
import { ChatMessageRepository } from './chat-message.repository.js';
import type { ChatMessage } from './chat-message.schema.js';
import { ChatRoomRepository, type ListedRoom } from './chat-room.repository.js';
import type { RoomMembersDto } from './chat.dto.js';
import { toRoomEntry } from './chat.mapper.js';

const DEFAULT_MEMBERS_LIMIT = 50;

/**
 * Rooms as their members see them (contract §6). The newest message is read from the messages themselves, so `lastSeq` and `unreadCount` are
 * exact whatever is noted; only the order of a list follows the notes.
 *
 * Database waits: 3 for a page (the rooms; their newest messages and one's marks, side by side; of each room one's own newest message, by
 * index, and whether one is a member still, side by side), whatever the number of members and messages; 1 more when this node has not noted
 * everything yet.
 */
@Injectable()
export class ChatListService {
  private readonly reading: ReadMarks<ChatMessage>;

  constructor(
    private readonly access: ChatAccessService,
    private readonly lastMessages: ChatLastMessageService,
    private readonly rooms: ChatRoomRepository,
    private readonly messages: ChatMessageRepository,
    private readonly marks: ChatMarkRepository,
    private readonly presence: PresenceService,
  ) {
    this.reading = new ReadMarks(messages, marks);
  }

  /** @throws AppError BAD_REQUEST for a cursor or a time that is none; UNAVAILABLE */
  async list(user: Identity, dto: ConversationsDto): Promise<ChatRoomsPayload> {
    const own = partyOf(user);
    const window = windowOf(dto);
    await this.lastMessages.settled(own);
    const { page, nextCursor } = pageOf(await this.rooms.page(own, window), window);
    return { rooms: await this.entriesOf(own, page), nextCursor };
  }

  /**
   * The members in the order in which they joined, with how far each has read. Three database waits.
   * @throws AppError NOT_FOUND to who is no member; UNAVAILABLE
   */
  async members(user: Identity, dto: RoomMembersDto): Promise<ChatMembersPayload> {
    const { conversationId } = dto;
    const { room } = await this.access.open(user, conversationId);
    const page = dto.page ?? 1;
    const limit = dto.limit ?? DEFAULT_MEMBERS_LIMIT;
    const all = [...room.members.values()];
    const shown = all.slice((page - 1) * limit, page * limit);
    const parties = shown.map(({ key }) => partyOfKey(key));
    const [marks, names] = await Promise.all([
      this.marks.findAll(parties.map((party) => markId(party, conversationId))),
      this.presence.namesOf(parties),
    ]);
    const members = shown.map(({ key, joinedAt }, index): ChatMemberPayload => {
      const { id, type } = partyOfKey(key);
      const mark = marks.get(markId({ id, type }, conversationId));
      return {
        userId: id,
        userType: type,
        name: names[index] ?? '',
        role: room.owner === key ? 'owner' : 'member',
        joinedAt: joinedAt.toISOString(),
        readSeq: mark?.readSeq ?? 0,
        readAt: mark?.readAt?.toISOString() ?? null,
      };
    });
    return { conversationId, members, total: all.length, page, limit, hasMore: page * limit < all.length };
  }

  private async entriesOf(own: Party, rooms: ListedRoom[]): Promise<ChatRoomEntryPayload[]> {
    const [newest, marks] = await Promise.all([
      this.messages.newestOfEach(
        rooms.map(({ _id, lastSeq }) => ({ conversationId: _id, fromSeq: lastSeq })),
      ),
      this.marks.findAll(rooms.map(({ _id }) => markId(own, _id))),
    ]);
    const entries = rooms
      .flatMap((room) => room.members.map((member) => ({ room, member })))
      .map(async ({ room, member }) => {
        const mark = marks.get(markId(own, room._id));
        const message = newest.get(room._id);
        const readOthers = Math.max(mark?.readOthers ?? 0, member.othersBefore);
        const unreadCount = await this.reading.unreadCount(own, message ?? null, readOthers);
        return toRoomEntry({ room, own: member, newest: message, mark, unreadCount });
      });
    // Whoever was removed meanwhile would else be told what was said after it.
    const [ownStill, ...all] = await Promise.all([
      this.rooms.idsAmong(
        own,
        rooms.map(({ _id }) => _id),
      ),
      ...entries,
    ]);
    return all.filter(({ conversationId }) => ownStill.has(conversationId));
  }
}
