import type { UserType } from './identity.js';

/** What a client may send. */
export const CLIENT_MESSAGE_TYPES = ['text', 'image', 'audio', 'video', 'file', 'location'] as const;

export type ClientMessageType = (typeof CLIENT_MESSAGE_TYPES)[number];

/** `call_log` comes from the server alone. */
export type MessageType = ClientMessageType | 'call_log';

export const MESSAGE_STATUSES = ['sent', 'delivered', 'read', 'failed'] as const;

export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

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
