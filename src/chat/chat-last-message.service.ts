import { Injectable } from '@nestjs/common';
import { LastMessages } from '../messaging/last-messages.js';
import type { ChatMessage } from './chat-message.schema.js';
import { ChatRoomRepository } from './chat-room.repository.js';

/** What rooms say of their newest messages. Whose rooms those are, a message does not say. */
@Injectable()
export class ChatLastMessageService extends LastMessages<ChatMessage> {
  constructor(rooms: ChatRoomRepository) {
    super(rooms, () => undefined);
  }
}
