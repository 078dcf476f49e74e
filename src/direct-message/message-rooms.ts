import { conversationRoom, personalRoom, type Room } from '../realtime/rooms.js';
import type { DirectMessage } from './direct-message.schema.js';
import { recipientOf, senderOf } from './message-rules.js';

/** Everyone whom a message concerns: both parties, and those who have the conversation open. */
export function roomsOf(message: DirectMessage): Room[] {
  return [
    conversationRoom(message.conversationId),
    personalRoom(senderOf(message)),
    personalRoom(recipientOf(message)),
  ];
}
