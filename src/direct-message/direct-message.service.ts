import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { AppConfig } from '../config/config.js';
import type { DirectMessagePayload } from '../contract/direct-message.js';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyKey, partyOf } from '../contract/identity.js';
import { Appender } from '../messaging/appender.js';
import { BlockService } from '../messaging/block.service.js';
import { SendingFlows } from '../messaging/sending-flows.js';
import type { Draft } from '../messaging/stored-message.js';
import { PresenceService } from '../presence/presence.service.js';
import { PushService } from '../push/push.service.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { ConversationService, type OpenConversation } from './conversation.service.js';
import type { SendMessageDto } from './direct-message.dto.js';
import { toPayload } from './direct-message.mapper.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import type { DirectMessage } from './direct-message.schema.js';
import { LastMessageService } from './last-message.service.js';
import { roomsOf } from './message-rooms.js';
import { recipientOf } from './message-rules.js';
import { TypingService } from './typing.service.js';

/**
 * Sending direct messages (contract §3).
 *
 * Database round trips: 1 before the ack (the insert, shared with what is sent at the same time), and a share of one after it (lastMessage,
 * not waited for). Before the ack also: 2 for a conversation that this node does not remember (participants, last seq), 3 for a new one,
 * 1 for a pair whose block is not known, 1 for a reply, 2 for a repeated clientMessageId. With several nodes, one Redis command for a
 * recipient who has no socket on this one. A message is encoded once for all its receivers, once for the ack, and once more with DM_ECHO_TO_SENDER=false.
 */
@Injectable()
export class DirectMessageService {
  private readonly appender: Appender<DirectMessage>;
  /** By recipient. */
  private readonly flows = new SendingFlows();

  constructor(
    private readonly config: AppConfig,
    private readonly emitter: EmitterService,
    private readonly access: ConversationService,
    private readonly lastMessages: LastMessageService,
    private readonly messages: DirectMessageRepository,
    private readonly blocks: BlockService,
    private readonly presence: PresenceService,
    private readonly push: PushService,
    private readonly typing: TypingService,
  ) {
    this.appender = new Appender(messages);
  }

  /**
   * Stores the message, then sends it to everyone concerned, then returns it. A repeated clientMessageId returns the message that is stored.
   * @throws AppError FORBIDDEN, NOT_FOUND, BAD_REQUEST as `ConversationService.openForSending` says; BAD_REQUEST for a reply to a message
   *   elsewhere; CONFLICT for a clientMessageId used in another conversation; UNAVAILABLE, also when that befell an earlier message of the
   *   socket to the same recipient while this one was under way
   */
  async send(user: Identity, socketId: string, dto: SendMessageDto): Promise<DirectMessagePayload> {
    const recipient = partyOf({ id: dto.recipientId, type: dto.recipientType });
    const prepare = (): Promise<Draft<DirectMessage>> => this.prepare(user, recipient, dto);
    try {
      return await this.flows.send(socketId, partyKey(recipient), prepare, async (draft) => {
        const stored = await this.store(draft, socketId);
        this.typing.stopFor(user, draft.conversationId);
        return stored;
      });
    } catch (error) {
      const stored = isRefusal(error) ? await this.storedBefore(partyOf(user), recipient, dto) : undefined;
      if (stored === undefined) throw error;
      return toPayload(stored);
    }
  }

  /**
   * Stores a message and sends it to everyone concerned, whoever may write what.
   * @param socketId the sender's; absent when the server itself says it
   * @throws AppError CONFLICT for a clientMessageId used in another conversation; UNAVAILABLE
   */
  async store(draft: Draft<DirectMessage>, socketId?: string): Promise<DirectMessagePayload> {
    let delivered: DirectMessagePayload | undefined;
    const { message } = await this.appender.append(draft, (stored) => {
      delivered = this.deliver(stored, socketId);
    });
    if (delivered !== undefined) return delivered;
    // A repeat: the node that stored it may have died before it noted it.
    this.lastMessages.note(message);
    return toPayload(message);
  }

  /** A message that was stored before its sender was blocked, and is sent again because nobody told them. */
  private async storedBefore(
    { id: senderId, type: senderType }: Party,
    recipient: Party,
    { clientMessageId }: SendMessageDto,
  ): Promise<DirectMessage | undefined> {
    if (typeof clientMessageId !== 'string') return undefined;
    const [stored] = await this.messages.findByClientMessageIds([{ senderId, senderType, clientMessageId }]);
    return stored !== undefined && isSameParty(recipientOf(stored), recipient) ? stored : undefined;
  }

  private async prepare(
    user: Identity,
    recipient: Party,
    dto: SendMessageDto,
  ): Promise<Draft<DirectMessage>> {
    const sender = partyOf(user);
    // First, so that a blocked one's first message does not make a conversation.
    if (!this.blocks.isKnownUnblocked(sender, recipient))
      await this.blocks.assertNotBlocked(sender, recipient);
    const conversation = await this.access.openForSending(user, recipient, dto.conversationId ?? undefined);
    const replyToId = dto.replyToId ? new Types.ObjectId(dto.replyToId) : undefined;
    if (replyToId !== undefined && !(await this.messages.exists(conversation.conversationId, replyToId))) {
      throw AppError.badField('replyToId', 'there is no such message in this conversation');
    }
    const isOnline = this.presence.isOnline(recipient);
    const status = (typeof isOnline === 'boolean' ? isOnline : await isOnline) ? 'delivered' : 'sent';
    return this.draft(user, conversation, dto, { replyToId, status });
  }

  private draft(
    user: Identity,
    to: OpenConversation,
    dto: SendMessageDto,
    { replyToId, status }: Pick<DirectMessage, 'replyToId' | 'status'>,
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
      ...omitNil({ mediaUrl: dto.mediaUrl, mediaSize: dto.mediaSize, mediaDuration: dto.mediaDuration }),
      ...omitNil({ thumbnailUrl: dto.thumbnailUrl, replyToId, clientMessageId: dto.clientMessageId }),
      timestamp: new Date(),
      status,
    };
  }

  /** One broadcast to the three rooms: a socket that is in several of them gets it once. A push to whoever has no socket. */
  private deliver(message: DirectMessage, senderSocketId?: string): DirectMessagePayload {
    const payload = toPayload(message);
    const rooms = roomsOf(message);
    if (this.config.directMessage.echoToSender || senderSocketId === undefined) {
      this.emitter.toRooms(rooms, 'dm:message_received', payload);
    } else {
      this.emitter.toRooms(rooms, 'dm:message_received', payload, senderSocketId);
      this.emitter.toSocket(senderSocketId, 'dm:message_sent', payload);
    }
    if (message.status === 'sent')
      this.push.message(recipientOf(message), { ...payload, messageId: payload.id });
    this.lastMessages.note(message);
    return payload;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.code === 'FORBIDDEN';
}

/** Only the fields that have a value: an absent one costs no storage and stays out of partial indexes. */
function omitNil<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as never;
}
