import { Injectable } from '@nestjs/common';
import { LastMessageRepair } from '../messaging/last-message-repair.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import type { DirectMessage } from './direct-message.schema.js';

/** Of direct conversations. */
@Injectable()
export class DirectMessageRepair extends LastMessageRepair<DirectMessage> {
  constructor(
    nodes: NodeRegistry,
    messages: DirectMessageRepository,
    conversations: DirectConversationRepository,
  ) {
    super(nodes, messages, conversations);
  }
}
