import { Injectable } from '@nestjs/common';
import type { DirectHistoryPayload } from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import type { HistoryDto } from '../messaging/conversation.dto.js';
import { markId } from '../messaging/mark.schema.js';
import { type HistoryWindow, historyWindowOf, MessageHistory } from '../messaging/message-history.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { ConversationService, type ReadableConversation } from './conversation.service.js';
import { DirectMarkRepository } from './direct-mark.repository.js';
import { toPayload } from './direct-message.mapper.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import type { DirectMessage } from './direct-message.schema.js';
import { recipientOf } from './message-rules.js';

type HistoryPage = Pick<DirectHistoryPayload, 'messages' | 'total' | 'hasMore'>;

const NOTHING_SAID: HistoryPage = { messages: [], total: 0, hasMore: false };

/**
 * What was said in a conversation (contract §3), each message with the status that the marks give it.
 * One database wait (two or three reads side by side), two for an older page; 1 more for a conversation not remembered. Encoded twice.
 */
@Injectable()
export class HistoryService {
  private readonly log: MessageHistory<DirectMessage>;

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ConversationService,
    private readonly marks: DirectMarkRepository,
    messages: DirectMessageRepository,
  ) {
    this.log = new MessageHistory(messages);
  }

  /** @throws AppError NOT_FOUND; UNAVAILABLE */
  async history(user: Identity, socketId: string, dto: HistoryDto): Promise<DirectHistoryPayload> {
    const { conversationId } = dto;
    const conversation = await this.access.openForReading(user, conversationId);
    const window = historyWindowOf(dto);
    const { page, limit } = window;
    const found = conversation === null ? NOTHING_SAID : await this.read(conversation, window);
    const history: DirectHistoryPayload = { conversationId, ...found, page, limit };
    this.emitter.toSocket(socketId, 'dm:history', history);
    return history;
  }

  private async read(
    { conversationId, participants }: ReadableConversation,
    window: HistoryWindow,
  ): Promise<HistoryPage> {
    const [slice, marks] = await Promise.all([
      this.log.read(conversationId, window),
      this.marks.findAll(participants.map((participant) => markId(participant, conversationId))),
    ]);
    const messages = slice.messages.map((message) => {
      return toPayload(message, marks.get(markId(recipientOf(message), conversationId)));
    });
    return { ...slice, messages };
  }
}
