import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyOf } from '../contract/identity.js';
import type { DirectMessage } from './direct-message.schema.js';

/** What somebody is to a message: its two parties are the participants of its conversation, `admin` is an admin who is none of them. */
export type MessageRole = 'sender' | 'recipient' | 'admin';

/** Different emoji of one person on one message. */
export const MAX_REACTIONS_EACH = 20;

/** No round trip. */
export function roleIn(message: DirectMessage, user: Identity): MessageRole | undefined {
  const own = partyOf(user);
  if (isSameParty(own, senderOf(message))) return 'sender';
  if (isSameParty(own, recipientOf(message))) return 'recipient';
  return user.type === 'admin' ? 'admin' : undefined;
}

export function senderOf({ senderId, senderType }: DirectMessage): Party {
  return { id: senderId, type: senderType };
}

export function recipientOf({ recipientId, recipientType }: DirectMessage): Party {
  return { id: recipientId, type: recipientType };
}

/** For a message that does not exist and for one of others: the two look the same. */
export function messageNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such message.');
}

/**
 * Whether the message says `content` already, of a message that could not be edited.
 * @throws AppError why it cannot be, if it cannot
 */
export function isEdited(
  message: DirectMessage,
  role: MessageRole,
  content: string,
  sentAfter: Date,
): boolean {
  if (role !== 'sender') throw new AppError('FORBIDDEN', 'Only its sender may edit a message.');
  assertNotDeleted(message);
  if (message.messageType === 'call_log') throw conflict('not_editable', 'A call log cannot be edited.');
  if (message.content === content) return true;
  if (content.trim() === '' && isAbsent(message.mediaUrl))
    throw AppError.badField('content', 'content must not be blank without a mediaUrl');
  if (message.timestamp <= sentAfter)
    throw conflict('edit_window_over', 'The time in which this message could be edited is over.');
  return false;
}

/**
 * Whether the message is deleted already, of a message that could not be deleted.
 * @throws AppError FORBIDDEN for a recipient who is no admin
 */
export function isDeletedFor(user: Identity, message: DirectMessage, role: MessageRole): boolean {
  if (role === 'recipient' && user.type !== 'admin')
    throw new AppError('FORBIDDEN', 'Only its sender may delete a message.');
  return isDeleted(message);
}

/**
 * Whether the user's emoji is on the message.
 * @throws AppError why the user cannot change their reactions, if they cannot
 */
export function hasReaction(
  user: Identity,
  message: DirectMessage,
  role: MessageRole,
  emoji: string,
): boolean {
  if (role === 'admin')
    throw new AppError('FORBIDDEN', 'Admins may read this conversation, not take part in it.');
  assertNotDeleted(message);
  return reactionsOf(message, user).includes(emoji);
}

/** @throws AppError CONFLICT when the user has put on it as many emoji as anybody may */
export function assertRoomForReaction(user: Identity, message: DirectMessage): void {
  if (reactionsOf(message, user).length >= MAX_REACTIONS_EACH)
    throw conflict(
      'too_many_reactions',
      `One person may put ${MAX_REACTIONS_EACH} different emoji on a message.`,
    );
}

function reactionsOf({ reactions }: DirectMessage, user: Identity): string[] {
  const own = partyOf(user);
  return (reactions ?? []).filter((reaction) => isSameParty(reaction, own)).map(({ emoji }) => emoji);
}

function assertNotDeleted(message: DirectMessage): void {
  if (isDeleted(message)) throw conflict('deleted', 'The message was deleted.');
}

function isDeleted({ deletedAt }: DirectMessage): boolean {
  return !isAbsent(deletedAt);
}

function conflict(state: string, message: string): AppError {
  return new AppError('CONFLICT', message, { state });
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
