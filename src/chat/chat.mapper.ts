import type {
  ChatMessagePayload,
  ChatRoomEntryPayload,
  ChatRoomPayload,
  RoomEvent,
} from '../contract/chat.js';
import { partyKey, type UserType } from '../contract/identity.js';
import type { Mark } from '../messaging/mark.schema.js';
import type { ChatMessage } from './chat-message.schema.js';
import type { ListedRoom } from './chat-room.repository.js';
import { type ChatRoom, ownerOf, type RoomMember, type RoomNotice } from './chat-room.schema.js';

/** A stored message as clients see it: every field is there, null where it has no value. */
export function toMessagePayload(message: ChatMessage): ChatMessagePayload {
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
    message: message.content,
    messageType: message.messageType,
    timestamp: message.timestamp.toISOString(),
    clientMessageId: message.clientMessageId ?? null,
    ...systemOf(message),
  };
}

function systemOf({ roomEvent }: ChatMessage): Pick<ChatMessagePayload, 'system'> {
  if (roomEvent === undefined) return {};
  const { event, subject, title } = roomEvent;
  return { system: { event, userId: subject.id, userType: subject.type, title: title ?? null } };
}

export function toRoomPayload(
  room: Pick<ChatRoom, '_id' | 'title' | 'owner' | 'memberCount' | 'createdAt'>,
): ChatRoomPayload {
  const owner = ownerOf(room);
  return {
    conversationId: room._id,
    title: room.title,
    ownerId: owner?.id ?? null,
    ownerType: owner?.type ?? null,
    memberCount: room.memberCount,
    createdAt: room.createdAt.toISOString(),
  };
}

/** A room as one of its members sees it. */
export interface RoomView {
  room: ListedRoom;
  own: RoomMember;
  /** The newest message itself: what the room has noted of it may be behind. */
  newest?: ChatMessage;
  mark?: Mark;
  unreadCount: number;
}

export function toRoomEntry({ room, own, newest, mark, unreadCount }: RoomView): ChatRoomEntryPayload {
  return {
    ...toRoomPayload(room),
    role: room.owner === own.key ? 'owner' : 'member',
    muted: own.isMuted ?? false,
    lastMessage: newest?.content ?? null,
    lastMessageType: newest?.messageType ?? null,
    lastSenderId: newest?.senderId ?? null,
    lastSenderType: newest?.senderType ?? null,
    lastMessageAt: newest?.timestamp.toISOString() ?? null,
    lastSeq: newest?.seq ?? 0,
    unreadCount,
    readSeq: mark?.readSeq ?? 0,
    updatedAt: room.updatedAt.toISOString(),
  };
}

const WITHOUT_NAME: Record<UserType, string> = {
  user: 'A user',
  astrologer: 'An astrologer',
  admin: 'An admin',
};

/** What happened to a room, in words for clients that have none of their own. */
export function textOf({ event, actor, subject, title }: RoomNotice): string {
  const [who, whom] = [actor, subject].map(({ name, type }) => (name === '' ? WITHOUT_NAME[type] : name));
  const isOneself = partyKey(actor) === partyKey(subject);
  const texts: Record<RoomEvent, string> = {
    created: `${who} created the room`,
    added: isOneself ? `${who} joined` : `${who} added ${whom}`,
    removed: `${who} removed ${whom}`,
    left: `${who} left`,
    renamed: title ? `${who} named the room “${title}”` : `${who} took the room's name away`,
  };
  return texts[event];
}
