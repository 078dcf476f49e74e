import { mongo } from 'mongoose';
import { CLIENT_MESSAGE_TYPES, MESSAGE_STATUSES } from '../contract/direct-message.js';
import type { MessageStatus, MessageType } from '../contract/direct-message.js';
import { isSameParty, type Party } from '../contract/identity.js';
import type { DirectMessage, StoredReaction } from '../direct-message/direct-message.schema.js';
import type { BrokenMessage, MessageFault } from './faults.js';
import {
  type LegacyDocument,
  toConversationId,
  toDate,
  toId,
  toNumber,
  toObjectId,
  toParty,
  toText,
  toUserType,
} from './legacy-values.js';

/** A message in its new shape, without its place. */
export type Shaped = Omit<DirectMessage, '_id' | 'seq' | 'senderSeq'>;

/** What becomes of a message: its new fields, or why it is left alone. */
export type MessagePlan = { fields: Shaped; faults: MessageFault[] } | { broken: BrokenMessage };

const MESSAGE_TYPE_WORDS: Record<string, MessageType> = {
  ...Object.fromEntries(CLIENT_MESSAGE_TYPES.map((type) => [type, type])),
  call_log: 'call_log',
  photo: 'image',
  picture: 'image',
  voice: 'audio',
  document: 'file',
};
const STATUS_WORDS: Record<string, MessageStatus> = {
  ...Object.fromEntries(MESSAGE_STATUSES.map((status) => [status, status])),
  seen: 'read',
  pending: 'sent',
};
const MAX_CLIENT_MESSAGE_ID_LENGTH = 128;
/** Fields that are absent when they have no value. */
export const OPTIONAL_FIELDS = [
  'mediaUrl',
  'mediaSize',
  'mediaDuration',
  'thumbnailUrl',
  'replyToId',
  'clientMessageId',
  'revision',
  'editedAt',
  'deletedAt',
  'deletedBy',
  'reactions',
] as const;

/** Why the message is beyond repair whatever its conversation is; undefined when it is not. */
export function selfBroken(message: LegacyDocument): BrokenMessage | undefined {
  if (!(message._id instanceof mongo.ObjectId)) return 'oddId';
  if (toConversationId(message.conversationId) === undefined) return 'noConversationId';
  const hasSender = toId(message.senderId) !== undefined || toUserType(message.senderType) === 'admin';
  return hasSender ? undefined : 'noSender';
}

/** When the message was sent: what it says of it, or else when its id was made. */
export function timeOf(message: LegacyDocument): Date {
  return (
    toDate(message.timestamp) ?? toDate(message.createdAt) ?? (message._id as mongo.ObjectId).getTimestamp()
  );
}

/** @param participants the two of its conversation */
export function planMessage(message: LegacyDocument, participants: Party[]): MessagePlan {
  const broken = selfBroken(message);
  if (broken !== undefined) return { broken };
  const sender = senderOf(message, participants);
  if (sender === undefined) return { broken: 'notParticipant' };
  const recipient = participants.find((participant) => !isSameParty(participant, sender)) ?? sender;
  const fields: Shaped = {
    conversationId: toConversationId(message.conversationId) ?? '',
    senderId: sender.id,
    senderType: sender.type,
    senderName: toText(message.senderName) ?? '',
    senderAvatar: toText(message.senderAvatar) ?? '',
    recipientId: recipient.id,
    recipientType: recipient.type,
    ...contentOf(message),
    ...changesOf(message, sender),
    replyToId: toObjectId(message.replyToId),
    clientMessageId: clientMessageIdOf(message),
    timestamp: timeOf(message),
    status: statusOf(message, sender),
  };
  return { fields, faults: faultsOf(message, fields) };
}

/** By id and kind; by the id alone where the kind is missing or wrong: the former backend took everybody for an astrologer. */
function senderOf(message: LegacyDocument, participants: Party[]): Party | undefined {
  const stated = toParty(message.senderId, message.senderType);
  const exact = participants.find((participant) => stated !== undefined && isSameParty(participant, stated));
  if (exact !== undefined) return exact;
  const id = toId(message.senderId);
  const named = participants.filter((participant) => participant.id === id);
  return named.length === 1 ? named[0] : undefined;
}

/** Of a deleted message nothing but the tombstone is left. */
function contentOf(message: LegacyDocument) {
  const type = MESSAGE_TYPE_WORDS[(toText(message.messageType) ?? '').toLowerCase()];
  const mediaUrl = toText(message.mediaUrl);
  const messageType = type ?? (mediaUrl === undefined ? 'text' : 'file');
  if (isDeleted(message)) return { content: '', messageType };
  return {
    content: contentText(message.content),
    messageType,
    mediaUrl,
    mediaSize: toNumber(message.mediaSize),
    mediaDuration: toNumber(message.mediaDuration),
    thumbnailUrl: toText(message.thumbnailUrl),
    reactions: reactionsOf(message.reactions),
  };
}

function contentText(content: unknown): string {
  if (typeof content === 'number' || typeof content === 'boolean') return String(content);
  return toText(content) ?? '';
}

function changesOf(message: LegacyDocument, sender: Party) {
  const revision = toNumber(message.revision);
  const editedAt = toDate(message.editedAt);
  if (!isDeleted(message)) return { revision, editedAt };
  const deletedAt = toDate(message.deletedAt) ?? timeOf(message);
  const { id, type } = (message.deletedBy ?? {}) as LegacyDocument;
  return { revision, editedAt, deletedAt, deletedBy: toParty(id, type) ?? sender };
}

function isDeleted({ isDeleted: flag, deletedAt }: LegacyDocument): boolean {
  return flag === true || toDate(deletedAt) !== undefined;
}

function reactionsOf(value: unknown): StoredReaction[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const reactions = (value as LegacyDocument[]).flatMap((entry) => {
    const party = toParty(entry?.id, entry?.type);
    const emoji = toText(entry?.emoji);
    return party === undefined || emoji === undefined ? [] : [{ emoji, ...party }];
  });
  return reactions.length > 0 ? reactions : undefined;
}

function clientMessageIdOf({ clientMessageId }: LegacyDocument): string | undefined {
  const id = toText(clientMessageId);
  return id !== undefined && id.length <= MAX_CLIENT_MESSAGE_ID_LENGTH ? id : undefined;
}

function statusOf(message: LegacyDocument, sender: Party): MessageStatus {
  const status = STATUS_WORDS[(toText(message.status) ?? '').toLowerCase()] ?? 'sent';
  const wasRead =
    message.isRead === true || toDate(message.readAt) !== undefined || isReadByOther(message, sender);
  return wasRead ? 'read' : status;
}

function isReadByOther({ readBy, senderId }: LegacyDocument, sender: Party): boolean {
  if (!Array.isArray(readBy)) return false;
  return (readBy as unknown[]).some((entry) => {
    const { userId, id } = (typeof entry === 'object' && entry !== null ? entry : {}) as LegacyDocument;
    const reader = toId(entry) ?? toId(userId) ?? toId(id);
    return reader !== undefined && reader !== sender.id && reader !== toId(senderId);
  });
}

function faultsOf(message: LegacyDocument, fields: Shaped): MessageFault[] {
  const differs = (...names: (keyof Shaped)[]): boolean =>
    names.some((name) => !isSame(message[name], fields[name]));
  const faults: [MessageFault, boolean][] = [
    ['sender', differs('senderId', 'senderType')],
    ['recipient', differs('recipientId', 'recipientType')],
    ['content', differs('content')],
    ['messageType', differs('messageType')],
    ['status', differs('status')],
    ['media', differs('mediaUrl', 'mediaSize', 'mediaDuration', 'thumbnailUrl')],
    ['reply', differs('replyToId')],
    ['clientMessageId', differs('clientMessageId')],
    [
      'change',
      differs('revision', 'editedAt', 'deletedAt') ||
        Array.isArray(message.reactions) !== Array.isArray(fields.reactions),
    ],
  ];
  return faults.filter(([, isFault]) => isFault).map(([fault]) => fault);
}

function isSame(before: unknown, after: unknown): boolean {
  if (after instanceof mongo.ObjectId) return before instanceof mongo.ObjectId;
  if (after instanceof Date) return before instanceof Date;
  return before === after;
}
