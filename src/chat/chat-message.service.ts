import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type { ChatMessagePayload } from '../contract/chat.js';
import { AppError } from '../contract/errors.js';
import type { Identity, Party } from '../contract/identity.js';
import { Appender } from '../messaging/appender.js';
import { SendingFlows } from '../messaging/sending-flows.js';
import type { Draft } from '../messaging/stored-message.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { ChatAccessService } from './chat-access.service.js';
import { ChatLastMessageService } from './chat-last-message.service.js';
import { ChatMessageRepository } from './chat-message.repository.js';
import type { ChatMessage } from './chat-message.schema.js';
import { ChatPushService } from './chat-push.service.js';
import { toMessagePayload } from './chat.mapper.js';
import type { ChatMessageDto } from './chat.dto.js';
import { ChatTypingService } from './chat-typing.service.js';
import type { KnownRoom } from './known-rooms.js';
import { MemberBroadcasts } from './member-broadcasts.js';

/**
 * Messages in chat rooms (contract §6), ordered and stored by the core that direct messages use.
 *
 * Database round trips, whatever the number of members: 3 before the ack (is the sender a member; the insert; who is a member now that it is
 * stored), each shared with what is sent at the same time, and a share of one after it (lastMessage, not waited for). Before the ack also: 1
 * when members have changed, 1 for a room whose end this node does not know, 1 for a sender whose own messages it does not know, 2 for a
 * repeated clientMessageId. One broadcast and one encoding for all members, one for the ack. Behind it, with Firebase: one Redis command for
 * the members who are not on this node, and one read for the devices of those who are absent.
 */
@Injectable()
export class ChatMessageService {
  private readonly appender: Appender<ChatMessage>;
  /** By room. */
  private readonly flows = new SendingFlows();

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ChatAccessService,
    private readonly broadcasts: MemberBroadcasts,
    private readonly lastMessages: ChatLastMessageService,
    private readonly messages: ChatMessageRepository,
    private readonly push: ChatPushService,
    private readonly typing: ChatTypingService,
  ) {
    this.appender = new Appender(messages);
  }

  /**
   * Stores the message, then sends it to every socket of every member, then returns it. A repeated clientMessageId returns the message that is
   * stored.
   * @throws AppError NOT_FOUND to who is no member; FORBIDDEN in a room of two whose other member has blocked the caller; CONFLICT for a
   *   clientMessageId used in another room; UNAVAILABLE, also when that befell an earlier message of the socket to the room meanwhile
   */
  async send(user: Identity, socketId: string, dto: ChatMessageDto): Promise<ChatMessagePayload> {
    const { conversationId } = dto;
    return this.flows.send(
      socketId,
      conversationId,
      () => this.prepare(user, dto),
      async (draft) => {
        const stored = await this.store(draft);
        this.typing.stopFor(user, conversationId);
        return stored;
      },
    );
  }

  /**
   * Stores a message and sends it to the members, whoever may write what.
   * @param also what is to be told with it, once: not for a repeat
   * @throws AppError CONFLICT for a clientMessageId used in another room; UNAVAILABLE
   */
  async store(draft: Draft<ChatMessage>, also?: (room: KnownRoom) => void): Promise<ChatMessagePayload> {
    let told: Promise<void> | undefined;
    const { message } = await this.appender.append(draft, (stored) => {
      told = this.deliver(stored, also);
    });
    // A repeat: the node that stored it may have died before it noted it.
    if (told === undefined) this.lastMessages.note(message);
    else await told;
    return toMessagePayload(message);
  }

  private async prepare(user: Identity, dto: ChatMessageDto): Promise<Draft<ChatMessage>> {
    const own = await this.access.open(user, dto.conversationId);
    if ((await this.access.isSilenced(own)) && !(await this.isStored(own.party, dto)))
      throw new AppError('FORBIDDEN', 'This person takes no messages and calls from you.');
    return {
      _id: new Types.ObjectId(),
      conversationId: dto.conversationId,
      senderId: own.party.id,
      senderType: own.party.type,
      senderName: user.name,
      senderAvatar: user.avatar,
      content: dto.message.toWellFormed(),
      messageType: dto.messageType ?? 'text',
      ...(typeof dto.clientMessageId === 'string' && { clientMessageId: dto.clientMessageId }),
      timestamp: new Date(),
    };
  }

  /** A message that was stored before its sender was blocked, and is sent again because nobody told them. */
  private async isStored(
    { id: senderId, type: senderType }: Party,
    { conversationId, clientMessageId }: ChatMessageDto,
  ): Promise<boolean> {
    if (typeof clientMessageId !== 'string') return false;
    const [stored] = await this.messages.findByClientMessageIds([{ senderId, senderType, clientMessageId }]);
    return stored?.conversationId === conversationId;
  }

  private deliver(message: ChatMessage, also?: (room: KnownRoom) => void): Promise<void> {
    const payload = toMessagePayload(message);
    this.lastMessages.note(message);
    return this.broadcasts.tell(message.conversationId, (room) => {
      this.emitter.toRooms(room.personalRooms, 'chat:message', payload);
      also?.(room);
      if (message.messageType !== 'system') void this.push.toAbsent(room, payload);
    });
  }
}
