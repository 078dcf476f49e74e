import type { DirectConversationPayload, MarksPayload } from '../contract/direct-message.js';
import type { Party } from '../contract/identity.js';
import type { Mark } from '../messaging/mark.schema.js';
import type { DirectConversation } from './direct-conversation.schema.js';
import type { DirectMessage } from './direct-message.schema.js';

/** What a conversation looks like to one side of it. */
export interface ConversationView {
  peer: Party;
  conversation: DirectConversation;
  /** The newest message itself: what the conversation has noted of it may be behind. */
  newest?: DirectMessage;
  ownMark?: Mark;
  peerMark?: Mark;
  unreadCount: number;
}

export function toConversationPayload(view: ConversationView): DirectConversationPayload {
  const { peer, conversation, newest, ownMark, peerMark, unreadCount } = view;
  return {
    conversationId: conversation._id,
    participants: conversation.participants,
    peer,
    lastMessage: newest?.content ?? null,
    lastMessageType: newest?.messageType ?? null,
    lastSenderId: newest?.senderId ?? null,
    lastSenderType: newest?.senderType ?? null,
    lastMessageAt: laterOf(newest?.timestamp, newest && conversation.lastMessageAt)?.toISOString() ?? null,
    lastSeq: newest?.seq ?? 0,
    unreadCount,
    marks: toMarks(ownMark),
    peerMarks: toMarks(peerMark),
    updatedAt: conversation.updatedAt.toISOString(),
  };
}

/** The clocks of two nodes may disagree with the order; the time never steps back. */
function laterOf(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function toMarks(mark: Mark | undefined): MarksPayload {
  return {
    readSeq: mark?.readSeq ?? 0,
    readAt: mark?.readAt?.toISOString() ?? null,
    deliveredSeq: mark?.deliveredSeq ?? 0,
  };
}
