import type {
  DirectMessagePayload,
  MessageDeletedPayload,
  MessageStatus,
  ReactionPayload,
  ReactionUpdatedPayload,
} from '../contract/direct-message.js';
import type { Party } from '../contract/identity.js';
import type { Mark } from '../messaging/mark.schema.js';
import type { DirectMessage, StoredReaction } from './direct-message.schema.js';

/**
 * A stored message as clients see it: every field is there, null where it has no value.
 * @param recipientMark how far its recipient has come; without it the status is that of the moment when it was sent
 */
export function toPayload(message: DirectMessage, recipientMark?: Mark): DirectMessagePayload {
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
    status: statusOf(message, recipientMark),
    clientMessageId: message.clientMessageId ?? null,
    editedAt: message.editedAt?.toISOString() ?? null,
    deletedAt: message.deletedAt?.toISOString() ?? null,
    reactions: toReactions(message.reactions ?? []),
    revision: message.revision ?? 0,
    ...callOf(message),
  };
}

function callOf({
  callId,
  callType,
  callStatus,
  callDuration,
}: DirectMessage): Partial<DirectMessagePayload> {
  return callId === undefined ? {} : { callId, callType, callStatus, callDuration };
}

function statusOf({ seq, status }: DirectMessage, recipientMark?: Mark): MessageStatus {
  if (recipientMark === undefined) return status;
  if (seq <= recipientMark.readSeq) return 'read';
  return status === 'sent' && seq <= recipientMark.deliveredSeq ? 'delivered' : status;
}

/** By emoji, in the order in which each was first used. */
export function toReactions(stored: StoredReaction[]): ReactionPayload[] {
  const byEmoji = new Map<string, Party[]>();
  for (const { emoji, id, type } of stored) byEmoji.set(emoji, [...(byEmoji.get(emoji) ?? []), { id, type }]);
  return [...byEmoji].map(([emoji, users]) => ({ emoji, users }));
}

/** Of a message that is deleted. */
export function toDeletedPayload(message: DirectMessage): MessageDeletedPayload {
  const deletedBy = message.deletedBy ?? { id: message.senderId, type: message.senderType };
  return {
    messageId: message._id.toHexString(),
    conversationId: message.conversationId,
    seq: message.seq,
    deletedBy: deletedBy.id,
    deletedByType: deletedBy.type,
    deletedAt: (message.deletedAt ?? message.timestamp).toISOString(),
    revision: message.revision ?? 0,
  };
}

export function toReactionsPayload({
  _id,
  conversationId,
  reactions,
  revision,
}: DirectMessage): ReactionUpdatedPayload {
  return {
    messageId: _id.toHexString(),
    conversationId,
    reactions: toReactions(reactions ?? []),
    revision: revision ?? 0,
  };
}
