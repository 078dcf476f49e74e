import { Injectable } from '@nestjs/common';
import type { ChatHistoryPayload } from '../contract/chat.js';
import type { Identity } from '../contract/identity.js';
import type { HistoryDto } from '../messaging/conversation.dto.js';
import { historyWindowOf, MessageHistory } from '../messaging/message-history.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { ChatAccessService } from './chat-access.service.js';
import { ChatMessageRepository } from './chat-message.repository.js';
import type { ChatMessage } from './chat-message.schema.js';
import { toMessagePayload } from './chat.mapper.js';

/**
 * What was said in a chat room (contract §6), to each of its members from the beginning. Three database waits (is the caller a member; one or
 * two reads side by side; is the caller a member still), four for an older page. Encoded twice.
 */
@Injectable()
export class ChatHistoryService {
  private readonly log: MessageHistory<ChatMessage>;

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ChatAccessService,
    messages: ChatMessageRepository,
  ) {
    this.log = new MessageHistory(messages);
  }

  /** @throws AppError NOT_FOUND to who is no member; UNAVAILABLE */
  async history(user: Identity, socketId: string, dto: HistoryDto): Promise<ChatHistoryPayload> {
    const { conversationId } = dto;
    await this.access.open(user, conversationId);
    const window = historyWindowOf(dto);
    const { page, limit } = window;
    const { messages, total, hasMore } = await this.log.read(conversationId, window);
    // Whoever was removed meanwhile would else read what was said after it.
    await this.access.open(user, conversationId);
    const history: ChatHistoryPayload = {
      conversationId,
      messages: messages.map(toMessagePayload),
      total,
      page,
      limit,
      hasMore,
    };
    this.emitter.toSocket(socketId, 'chat:history', history);
    return history;
  }
}
