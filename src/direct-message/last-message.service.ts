import { Injectable } from '@nestjs/common';
import { LastMessages } from '../messaging/last-messages.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import type { DirectMessage } from './direct-message.schema.js';
import { recipientOf, senderOf } from './message-rules.js';

/** What direct conversations say of their newest messages. */
@Injectable()
export class LastMessageService extends LastMessages<DirectMessage> {
  constructor(conversations: DirectConversationRepository) {
    super(conversations, (message) => [senderOf(message), recipientOf(message)]);
  }
}
