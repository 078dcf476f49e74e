import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type {
  DeliveredMarkPayload,
  MessagesReadPayload,
  ReadMarkPayload,
} from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { ReadMarks } from '../messaging/read-marks.js';
import type { Place } from '../messaging/stored-message.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { personalRoom } from '../realtime/rooms.js';
import type { MarkDeliveredDto, MarkReadDto } from './conversation.dto.js';
import { ConversationService, type OwnConversation, sidesOf } from './conversation.service.js';
import { DirectMarkRepository } from './direct-mark.repository.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import type { DirectMessage } from './direct-message.schema.js';
import { LastMessageService } from './last-message.service.js';

/** Of a longer stretch that becomes read, the ids of its newest messages are told: `upToSeq` says it all. */
const MAX_NAMED_STRETCH = 1000;
const MESSAGE_ID = /^[0-9a-f]{24}$/i;

/**
 * Read receipts and delivery receipts (contract §3). A mark is a seq and only goes forward; one's own messages never count.
 *
 * Database waits: 3 for a read mark that moves (the message at the mark; the mark; ids, newest message and the conversation's
 * `updatedAt`, side by side), 4 for one that does not. 3 for a delivered mark that moves. 1 more for a conversation not remembered.
 * One encoding for all receivers, and only when the mark moved.
 */
@Injectable()
export class MarkService {
  private readonly reading: ReadMarks<DirectMessage>;

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ConversationService,
    private readonly lastMessages: LastMessageService,
    private readonly messages: DirectMessageRepository,
    private readonly marks: DirectMarkRepository,
  ) {
    this.reading = new ReadMarks(messages, marks);
  }

  /**
   * Moves the caller's read mark and tells the writer and the caller's other devices.
   * @returns where the mark stands now; for a pair that has not spoken, 0
   * @throws AppError NOT_FOUND; FORBIDDEN for an admin in a conversation of others; UNAVAILABLE
   */
  async markRead(user: Identity, socketId: string, dto: MarkReadDto): Promise<ReadMarkPayload> {
    const { conversationId } = dto;
    const found = await this.access.openForReading(user, conversationId);
    if (found === null) return { conversationId, upToSeq: 0, unreadCount: 0 };
    const conversation = sidesOf(found);
    const place = await this.placeToRead(conversation, dto);
    return (place && (await this.advanceRead(conversation, place, socketId))) ?? this.readMark(conversation);
  }

  /**
   * Moves the caller's delivered mark and tells the writer.
   * @returns how far is delivered by this; for a pair that has not spoken, 0
   * @throws AppError NOT_FOUND; FORBIDDEN for an admin in a conversation of others; UNAVAILABLE
   */
  async markDelivered(user: Identity, dto: MarkDeliveredDto): Promise<DeliveredMarkPayload> {
    const { conversationId } = dto;
    const found = await this.access.openForReading(user, conversationId);
    if (found === null) return { conversationId, upToSeq: 0 };
    const { own, peer } = sidesOf(found);
    const place = await this.messages.lastPlace(conversationId, dto.upToSeq);
    const upToSeq = place?.seq ?? 0;
    if (place !== null && (await this.marks.advanceDelivered(own, conversationId, upToSeq)) !== null) {
      const deliveredAt = new Date().toISOString();
      const delivered = {
        conversationId,
        upToSeq,
        deliveredTo: own.id,
        deliveredToType: own.type,
        deliveredAt,
      };
      this.emitter.toRooms([personalRoom(peer)], 'dm:messages_delivered', delivered);
      await this.lastMessages.touch(conversationId, [own, peer]);
    }
    return { conversationId, upToSeq };
  }

  /** The message at which the read mark is to stand: one that exists. */
  private async placeToRead(
    { conversationId, own }: OwnConversation,
    dto: MarkReadDto,
  ): Promise<Place | null> {
    const { upToSeq, messageIds } = dto;
    if (typeof upToSeq === 'number') return this.messages.lastPlace(conversationId, upToSeq);
    const ids = (messageIds ?? []).filter((id) => MESSAGE_ID.test(id)).map((id) => new Types.ObjectId(id));
    return ids.length === 0 ? null : this.messages.newestPlaceOf(conversationId, ids, own);
  }

  /** Null when the mark was there already, or further on. */
  private async advanceRead(
    conversation: OwnConversation,
    place: Place,
    socketId: string,
  ): Promise<ReadMarkPayload | null> {
    const { conversationId, own } = conversation;
    const { seq } = place;
    const moved = await this.reading.advance(own, place);
    if (moved === null) return null;
    const readBefore = Math.max(moved.readBefore, seq - MAX_NAMED_STRETCH);
    // The mark has moved and will not move again: they are told even when the ids cannot be read.
    const named = this.messages.idsForReader(conversationId, readBefore, seq, own).catch(() => []);
    const [messageIds, last] = await Promise.all([
      named,
      this.messages.lastPlace(conversationId).catch(() => place),
      this.lastMessages.touch(conversationId, [own, conversation.peer]),
    ]);
    this.tellRead(conversation, { messageIds, upToSeq: seq, readAt: moved.readAt.toISOString() }, socketId);
    const unreadCount = await this.reading.unreadCount(own, last, moved.others);
    return { conversationId, upToSeq: seq, unreadCount };
  }

  private tellRead(
    { conversationId, own, peer }: OwnConversation,
    read: Pick<MessagesReadPayload, 'messageIds' | 'upToSeq' | 'readAt'>,
    socketId: string,
  ): void {
    const payload = { conversationId, ...read, readBy: own.id, readByType: own.type };
    this.emitter.toRooms([personalRoom(peer), personalRoom(own)], 'dm:messages_read', payload, socketId);
  }

  private async readMark({ conversationId, own }: OwnConversation): Promise<ReadMarkPayload> {
    return { conversationId, ...(await this.reading.standing(own, conversationId)) };
  }
}
