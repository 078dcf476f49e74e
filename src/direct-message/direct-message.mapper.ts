import type { DirectMessagePayload } from '../contract/direct-message.js';
import type { DirectMessage } from './direct-message.schema.js';

/** A stored message as clients see it: every field is there, null where it has no value. */
export function toPayload(message: DirectMessage): DirectMessagePayload {
  const id = message._id.toHexString();
  return {
    id,
    _id: id,
    conversationId: message.conversationId,
    seq: message.seq,
    senderId: message.senderId,
    senderType: message.senderType,
    senderName: message.senderName,
    senderAvatar: message.senderAvatar,
    recipientId: message.recipientId,
    recipientType: message.recipientType,
    content: message.content,
    messageType: message.messageType,
    mediaUrl: message.mediaUrl ?? null,
    mediaSize: message.mediaSize ?? null,
    mediaDuration: message.mediaDuration ?? null,
    thumbnailUrl: message.thumbnailUrl ?? null,
    replyToId: message.replyToId?.toHexString() ?? null,
    timestamp: message.timestamp.toISOString(),
    status: message.status,
    clientMessageId: message.clientMessageId ?? null,
  };
}
