import type { ClientMessageType } from './direct-message.js';
import type { UserType } from './identity.js';

/** `system` comes from the server alone. */
export type ChatMessageType = ClientMessageType | 'system';

export const ROOM_EVENTS = ['created', 'added', 'removed', 'left', 'renamed'] as const;

/** What happened to a room. */
export type RoomEvent = (typeof ROOM_EVENTS)[number];

export type RoomRole = 'owner' | 'member';

/** What a system message says, for clients that say it in their own words. */
export interface SystemMessagePayload {
  event: RoomEvent;
  /** Whom it befell: who was added or removed, else who did it. */
  userId: string;
  userType: UserType;
  /** The room's new title, of `created` and `renamed`. */
  title: string | null;
}

/** `chat:message`, and each entry of a history (contract §6). */
export interface ChatMessagePayload {
  id: string;
  /** The same as `id`: both names are in use by clients. */
  _id: string;
  conversationId: string;
  /** 1, 2, 3, … within the room, without gaps. */
  seq: number;
  /** Of a system message: who did what it tells of. */
  senderId: string;
  senderType: UserType;
  senderName: string;
  senderAvatar: string;
  message: string;
  messageType: ChatMessageType;
  /** ISO 8601. */
  timestamp: string;
  clientMessageId: string | null;
  /** Of a `system` message, and there alone. */
  system?: SystemMessagePayload;
}

/** The reply event `chat:history`. */
export interface ChatHistoryPayload {
  conversationId: string;
  /** Oldest first. */
  messages: ChatMessagePayload[];
  /** Messages in the whole room. */
  total: number;
  page: number;
  limit: number;
  /** More messages lie beyond this page, in the direction that was asked for. */
  hasMore: boolean;
}

/** A room as it is after a change: the ack of `chat:create` and of whatever changes members or title. */
export interface ChatRoomPayload {
  conversationId: string;
  /** Empty when it has none. */
  title: string;
  /** Null when nobody is left. */
  ownerId: string | null;
  ownerType: UserType | null;
  memberCount: number;
  /** ISO 8601. */
  createdAt: string;
}

/** An entry of `chat:rooms`: a room as one of its members sees it. */
export interface ChatRoomEntryPayload extends ChatRoomPayload {
  role: RoomRole;
  /** Whether one's own devices get no pushes from it. */
  muted: boolean;
  /** Text of the newest message; null before the first one. */
  lastMessage: string | null;
  lastMessageType: ChatMessageType | null;
  lastSenderId: string | null;
  lastSenderType: UserType | null;
  /** ISO 8601. */
  lastMessageAt: string | null;
  /** The newest message's seq; 0 before the first one. */
  lastSeq: number;
  /** Messages by others after one's own read mark, not counting those from before one was a member. */
  unreadCount: number;
  /** One's own read mark. */
  readSeq: number;
  /** ISO 8601: when a message or a read mark, members or title last changed something in it. */
  updatedAt: string;
}

/** The ack of `chat:rooms`. */
export interface ChatRoomsPayload {
  /** Newest first. */
  rooms: ChatRoomEntryPayload[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
}

export interface ChatMemberPayload {
  userId: string;
  userType: UserType;
  /** Under which they were last here; empty when never. */
  name: string;
  role: RoomRole;
  /** ISO 8601. */
  joinedAt: string;
  /** How far they have read. */
  readSeq: number;
  /** ISO 8601; null when they have read nothing yet. */
  readAt: string | null;
}

/** The ack of `chat:members`. */
export interface ChatMembersPayload {
  conversationId: string;
  /** In the order in which they joined. */
  members: ChatMemberPayload[];
  total: number;
  page: number;
  limit: number;
  hasMore: boolean;
}

/** The ack of `chat:join` and `chat:leave`. */
export interface ChatOpenedPayload {
  conversationId: string;
  success: true;
}

/** The ack of `chat:mute`. */
export interface ChatMutedPayload {
  conversationId: string;
  muted: boolean;
}

/** `chat:read`: somebody has read up to here. */
export interface ChatReadPayload {
  conversationId: string;
  upToSeq: number;
  readBy: string;
  readByType: UserType;
  /** ISO 8601. */
  readAt: string;
}

/** `chat:removed`, to the one who is no member any more. */
export interface ChatRemovedPayload {
  conversationId: string;
  /** Oneself, when one left. */
  removedBy: string;
  removedByType: UserType;
  /** ISO 8601. */
  timestamp: string;
}

/** `chat:online` and `chat:offline`, to those who share a room with that person. */
export interface ChatPresencePayload {
  userId: string;
  userType: UserType;
  /** ISO 8601. */
  lastSeen: string;
}
