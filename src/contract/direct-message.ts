import type { CallLogStatus, CallType } from './call.js';
import type { Party, UserType } from './identity.js';

/** What a client may send. */
export const CLIENT_MESSAGE_TYPES = ['text', 'image', 'audio', 'video', 'file', 'location'] as const;

export type ClientMessageType = (typeof CLIENT_MESSAGE_TYPES)[number];

/** `call_log` comes from the server alone. */
export type MessageType = ClientMessageType | 'call_log';

export const MESSAGE_STATUSES = ['sent', 'delivered', 'read', 'failed'] as const;

export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** One emoji on a message, and who put it there. */
export interface ReactionPayload {
  emoji: string;
  users: Party[];
}

/** `dm:message_received`, and each entry of a history (contract §3). */
export interface DirectMessagePayload {
  id: string;
  /** The same as `id`: both names are in use by clients. */
  _id: string;
  conversationId: string;
  /** 1, 2, 3, … within the conversation, without gaps. */
  seq: number;
  senderId: string;
  senderType: UserType;
  senderName: string;
  senderAvatar: string;
  recipientId: string;
  recipientType: UserType;
  content: string;
  messageType: MessageType;
  mediaUrl: string | null;
  /** Bytes. */
  mediaSize: number | null;
  /** Seconds. */
  mediaDuration: number | null;
  thumbnailUrl: string | null;
  replyToId: string | null;
  /** ISO 8601. */
  timestamp: string;
  status: MessageStatus;
  clientMessageId: string | null;
  /** ISO 8601, of the last edit; null when it was never edited. */
  editedAt: string | null;
  /** ISO 8601; with it the content is gone and a tombstone is left. */
  deletedAt: string | null;
  reactions: ReactionPayload[];
  /** How often the message was changed: 0, 1, 2, … Of two versions the one with the higher number is right. */
  revision: number;
  /** Of a `call_log`, and there alone, as the three after it. */
  callId?: string;
  callType?: CallType;
  callStatus?: CallLogStatus;
  /** Whole seconds. */
  callDuration?: number;
}

/** The reply event `dm:history`. */
export interface DirectHistoryPayload {
  conversationId: string;
  /** Oldest first. */
  messages: DirectMessagePayload[];
  /** Messages in the whole conversation. */
  total: number;
  page: number;
  limit: number;
  /** More messages lie beyond this page, in the direction that was asked for. */
  hasMore: boolean;
}

/** The reply event `dm:joined`. */
export interface ConversationJoinedPayload {
  conversationId: string;
  success: true;
}

/** How far somebody has come in a conversation; both only go forward. */
export interface MarksPayload {
  readSeq: number;
  /** ISO 8601; null when nothing was read yet. */
  readAt: string | null;
  /** Never below `readSeq`: what was read was delivered. */
  deliveredSeq: number;
}

/** A conversation as one of its participants sees it: `dm:open`, and each entry of `dm:conversations`. */
export interface DirectConversationPayload {
  conversationId: string;
  participants: Party[];
  /** The other participant. */
  peer: Party;
  /** Text of the newest message; null before the first one, empty for media without text and for a deleted message. */
  lastMessage: string | null;
  lastMessageType: MessageType | null;
  lastSenderId: string | null;
  lastSenderType: UserType | null;
  /** ISO 8601. */
  lastMessageAt: string | null;
  /** The newest message's seq; 0 before the first one. */
  lastSeq: number;
  /** Messages by the other participant after one's own read mark. */
  unreadCount: number;
  /** One's own marks. */
  marks: MarksPayload;
  /** The other participant's: how far one's own messages were read and delivered. */
  peerMarks: MarksPayload;
  /** ISO 8601: when a message, a mark, an edit, a deletion or a reaction last changed something in it. */
  updatedAt: string;
}

/** The ack of `dm:conversations`. */
export interface DirectConversationsPayload {
  /** Newest first. */
  conversations: DirectConversationPayload[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
}

/** `dm:messages_read`, and with one's own new unread count the ack of `dm:mark_read`. */
export interface MessagesReadPayload {
  conversationId: string;
  /** What became read by this, oldest first; of a longer stretch only those among its newest 1,000 messages. */
  messageIds: string[];
  /** Everything up to here is read. */
  upToSeq: number;
  readBy: string;
  readByType: UserType;
  /** ISO 8601. */
  readAt: string;
}

/** The ack of `dm:mark_read`: where one's read mark stands now, whether this request moved it or not. */
export interface ReadMarkPayload {
  conversationId: string;
  upToSeq: number;
  unreadCount: number;
}

/** `dm:messages_delivered`. */
export interface MessagesDeliveredPayload {
  conversationId: string;
  upToSeq: number;
  deliveredTo: string;
  deliveredToType: UserType;
  /** ISO 8601. */
  deliveredAt: string;
}

/** The ack of `dm:mark_delivered`. */
export interface DeliveredMarkPayload {
  conversationId: string;
  upToSeq: number;
}

/** `dm:message_deleted`: of the message a tombstone without content is left. */
export interface MessageDeletedPayload {
  messageId: string;
  conversationId: string;
  seq: number;
  deletedBy: string;
  deletedByType: UserType;
  /** ISO 8601. */
  deletedAt: string;
  /** As in the message. */
  revision: number;
}

/** `dm:reaction_updated`: all reactions of the message, after the change. */
export interface ReactionUpdatedPayload {
  messageId: string;
  conversationId: string;
  reactions: ReactionPayload[];
  /** As in the message. */
  revision: number;
}

/** `dm:report_created`, to the admins. */
export interface ReportCreatedPayload {
  reportId: string;
  messageId: string;
  conversationId: string;
  reason: string;
  reportedBy: string;
  reportedByType: UserType;
  /** The message as it was when it was reported. */
  message: DirectMessagePayload;
  /** ISO 8601. */
  createdAt: string;
}

/** The ack of `dm:report`: a repeat gets that of the first one. */
export interface ReportReceiptPayload {
  reportId: string;
  messageId: string;
  conversationId: string;
  /** ISO 8601. */
  createdAt: string;
}
