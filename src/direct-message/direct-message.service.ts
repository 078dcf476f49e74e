import { Injectable, Logger } from '@nestjs/common';
import { Types } from 'mongoose';
import { AppConfig } from '../config/config.js';
import type {
  ConversationJoinedPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
} from '../contract/direct-message.js';
import { AppError } from '../contract/errors.js';
import type { Identity } from '../contract/identity.js';
import { InOrder } from '../messaging/in-order.js';
import { MessageLog } from '../messaging/message-log.js';
import type { Draft } from '../messaging/stored-message.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { conversationRoom, personalRoom } from '../realtime/rooms.js';
import { ConversationService, type OpenConversation } from './conversation.service.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import type { HistoryDto, SendMessageDto } from './direct-message.dto.js';
import { toPayload } from './direct-message.mapper.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import type { DirectMessage } from './direct-message.schema.js';

const DEFAULT_HISTORY_LIMIT = 50;

/**
 * The rules of direct messages (contract §3).
 *
 * Round trips: sending in a known conversation 1 (the insert) before the ack and 1 after it (lastMessage, not waited for), plus 1 for
 * a reply; history 1 for the newest page, 2 otherwise; joining and leaving 0. An unknown conversation costs 1 more, a new one 2.
 * A message is encoded once for all its receivers, and once more for the ack.
 */
@Injectable()
export class DirectMessageService {
  private readonly logger = new Logger(DirectMessageService.name);
  private readonly log: MessageLog<DirectMessage>;
  /** Looking up a conversation or a reply must not let a socket's later message pass its earlier one. */
  private readonly preparation = new InOrder();

  constructor(
    private readonly config: AppConfig,
    private readonly emitter: EmitterService,
    private readonly access: ConversationService,
    private readonly conversations: DirectConversationRepository,
    private readonly messages: DirectMessageRepository,
  ) {
    this.log = new MessageLog(messages);
  }

  /**
   * @param socketId the socket that joins
   * @throws AppError NOT_FOUND
   */
  async join(user: Identity, socketId: string, conversationId: string): Promise<ConversationJoinedPayload> {
    const { exists } = await this.access.openForReading(user, conversationId);
    if (exists) await this.emitter.joinRoom(socketId, conversationRoom(conversationId));
    const joined: ConversationJoinedPayload = { conversationId, success: true };
    this.emitter.toSocket(socketId, 'dm:joined', joined);
    return joined;
  }

  /** Leaving a room that one is not in is no fault. */
  async leave(socketId: string, conversationId: string): Promise<ConversationJoinedPayload> {
    await this.emitter.leaveRoom(socketId, conversationRoom(conversationId));
    return { conversationId, success: true };
  }

  /**
   * Stores the message, then sends it to everyone concerned, then returns it. A repeated clientMessageId returns the message that is stored.
   * @throws AppError FORBIDDEN, NOT_FOUND, BAD_REQUEST as `ConversationService.openForSending` says; CONFLICT for a clientMessageId
   *   used in another conversation
   */
  async send(user: Identity, socketId: string, dto: SendMessageDto): Promise<DirectMessagePayload> {
    const draft = await this.preparation.run(socketId, () => this.prepare(user, dto));
    const { message, isNew } = await this.log.append(draft, (stored) => this.deliver(stored, socketId));
    if (isNew) this.noteLastMessage(message);
    return toPayload(message);
  }

  /** @throws AppError NOT_FOUND */
  async history(user: Identity, socketId: string, dto: HistoryDto): Promise<DirectHistoryPayload> {
    const { conversationId } = dto;
    const page = dto.page ?? 1;
    const limit = dto.limit ?? DEFAULT_HISTORY_LIMIT;
    await this.access.openForReading(user, conversationId);
    const slice = await this.log.history(conversationId, {
      page,
      limit,
      beforeSeq: dto.beforeSeq ?? undefined,
      afterSeq: dto.afterSeq ?? undefined,
    });
    const history = { ...slice, conversationId, messages: slice.messages.map(toPayload), page, limit };
    this.emitter.toSocket(socketId, 'dm:history', history);
    return history;
  }

  private async prepare(user: Identity, dto: SendMessageDto): Promise<Draft<DirectMessage>> {
    const recipient = { id: dto.recipientId, type: dto.recipientType };
    const conversation = await this.access.openForSending(user, recipient, dto.conversationId ?? undefined);
    const replyToId = dto.replyToId ? new Types.ObjectId(dto.replyToId) : undefined;
    if (replyToId !== undefined && !(await this.messages.exists(conversation.conversationId, replyToId))) {
      throw AppError.badField('replyToId', 'there is no such message in this conversation');
    }
    return this.draft(user, conversation, dto, replyToId);
  }

  private draft(
    user: Identity,
    to: OpenConversation,
    dto: SendMessageDto,
    replyToId?: Types.ObjectId,
  ): Draft<DirectMessage> {
    return {
      _id: new Types.ObjectId(),
      conversationId: to.conversationId,
      senderId: to.sender.id,
      senderType: to.sender.type,
      senderName: user.name,
      senderAvatar: user.avatar,
      recipientId: to.recipient.id,
      recipientType: to.recipient.type,
      content: dto.content?.toWellFormed() ?? '',
      messageType: dto.messageType ?? 'text',
      ...present({ mediaUrl: dto.mediaUrl, mediaSize: dto.mediaSize, mediaDuration: dto.mediaDuration }),
      ...present({ thumbnailUrl: dto.thumbnailUrl, replyToId, clientMessageId: dto.clientMessageId }),
      timestamp: new Date(),
      status: this.emitter.isOccupied(personalRoom(to.recipient)) ? 'delivered' : 'sent',
    };
  }

  /** One broadcast to the three rooms: a socket that is in several of them gets it once. */
  private deliver(message: DirectMessage, senderSocketId: string): void {
    const payload = toPayload(message);
    const rooms = [
      conversationRoom(message.conversationId),
      personalRoom({ id: message.recipientId, type: message.recipientType }),
      personalRoom({ id: message.senderId, type: message.senderType }),
    ];
    if (this.config.directMessage.echoToSender) {
      this.emitter.toRooms(rooms, 'dm:message_received', payload);
    } else {
      this.emitter.toRooms(rooms, 'dm:message_received', payload, senderSocketId);
      this.emitter.toSocket(senderSocketId, 'dm:message_sent', payload);
    }
  }

  /** Follows without being waited for: the message itself is what must not be lost. */
  private noteLastMessage(message: DirectMessage): void {
    this.conversations.noteLastMessage(message).catch((error: unknown) => {
      this.logger.warn(`lastMessage of a conversation was not noted: ${(error as Error).name}`);
    });
  }
}

/** Only the fields that have a value: an absent one costs no storage and stays out of partial indexes. */
function present<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as never;
}
