import { Injectable } from '@nestjs/common';
import type { Identity } from '../contract/identity.js';
import { ReadMarks, type ReadStanding } from '../messaging/read-marks.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { personalRoom } from '../realtime/rooms.js';
import { ChatAccessService } from './chat-access.service.js';
import { ChatLastMessageService } from './chat-last-message.service.js';
import { ChatMarkRepository } from './chat-mark.repository.js';
import { ChatMessageRepository } from './chat-message.repository.js';
import type { ChatMessage } from './chat-message.schema.js';
import type { ChatReadDto } from './chat.dto.js';
import { MemberBroadcasts } from './member-broadcasts.js';

/** Each member of a larger room is not told of each other's reading: every message would cost the square of the members. */
const MAX_TOLD_MEMBERS = 50;

/**
 * Read marks of the members of chat rooms (contract §6).
 *
 * Database waits: 5 for a mark that moves (is the caller a member; the message at the mark; how many of them are one's own; the mark; the
 * newest message, and the room's `updatedAt`), whatever the number of members. One encoding for all receivers, and only when the mark moved.
 */
@Injectable()
export class ChatReadService {
  private readonly reading: ReadMarks<ChatMessage>;

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ChatAccessService,
    private readonly broadcasts: MemberBroadcasts,
    private readonly lastMessages: ChatLastMessageService,
    private readonly messages: ChatMessageRepository,
    marks: ChatMarkRepository,
  ) {
    this.reading = new ReadMarks(messages, marks);
  }

  /**
   * Moves the caller's read mark, and tells the members: all of them in a room of up to 50, else the caller's other devices alone.
   * @returns where the mark stands now
   * @throws AppError NOT_FOUND to who is no member; UNAVAILABLE
   */
  async read(
    user: Identity,
    socketId: string,
    { conversationId, upToSeq }: ChatReadDto,
  ): Promise<ReadStanding & { conversationId: string }> {
    const { party, own } = await this.access.open(user, conversationId);
    const place = await this.messages.lastPlace(conversationId, upToSeq);
    const moved = place && (await this.reading.advance(party, place));
    if (place === null || moved === null)
      return { conversationId, ...(await this.reading.standing(party, conversationId, own.othersBefore)) };
    const read = { conversationId, upToSeq: place.seq, readBy: party.id, readByType: party.type };
    const payload = { ...read, readAt: moved.readAt.toISOString() };
    const [last] = await Promise.all([
      this.messages.lastPlace(conversationId).catch(() => place),
      this.lastMessages.touch(conversationId, [party]),
      this.broadcasts.tell(conversationId, (room) => {
        if (room.memberOf(party) === undefined) return;
        const isSmall = room.members.size <= MAX_TOLD_MEMBERS;
        const rooms = isSmall ? room.personalRooms : [personalRoom(party)];
        this.emitter.toRooms(rooms, 'chat:read', payload, socketId);
      }),
    ]);
    const readOthers = Math.max(moved.others, own.othersBefore);
    const unreadCount = await this.reading.unreadCount(party, last, readOthers);
    return { conversationId, upToSeq: place.seq, unreadCount };
  }
}
