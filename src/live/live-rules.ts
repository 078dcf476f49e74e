import { Types } from 'mongoose';
import { AppError } from '../contract/errors.js';
import { type Identity, type Party, partyKey, partyOf } from '../contract/identity.js';
import type { LiveStream } from './live-stream.schema.js';

/** What somebody is to a stream. */
export type LiveRole = 'owner' | 'moderator' | 'viewer';

/** Of a document of another process that names nobody it is nobody: no id is empty. */
export function ownerOf({ astrologerId }: LiveStream): Party {
  const isId = typeof astrologerId === 'string' || astrologerId instanceof Types.ObjectId;
  return { id: isId ? String(astrologerId) : '', type: 'astrologer' };
}

export function roleIn(stream: LiveStream, user: Identity): LiveRole {
  return roleBeside(partyKey(ownerOf(stream)), user);
}

/** @param owner `partyKey` of the stream's broadcaster */
export function roleBeside(owner: string, user: Identity): LiveRole {
  if (partyKey(partyOf(user)) === owner) return 'owner';
  return user.type === 'admin' ? 'moderator' : 'viewer';
}

/** The channel that the stream's tokens are for. A document of a former backend without one has its id. */
export function channelOf({ _id, channelName }: LiveStream): string {
  return textOf(channelName) || _id.toHexString();
}

/** When it began; a document of a former backend may say it in another way, or only by its id. */
export function startOf({ _id, startedAt, createdAt }: LiveStream): Date {
  return dateOf(startedAt) ?? dateOf(createdAt) ?? _id.getTimestamp();
}

/** A stored time; undefined for whatever else another process has written in its place. */
export function dateOf(stored: unknown): Date | undefined {
  return stored instanceof Date && !Number.isNaN(stored.getTime()) ? stored : undefined;
}

/** A stored text; empty for whatever else another process has written in its place. */
export function textOf(stored: unknown): string {
  return typeof stored === 'string' ? stored : '';
}

/** @param streamId checked by the payload's rules */
export function toStreamId(streamId: string): Types.ObjectId {
  return new Types.ObjectId(streamId);
}

export function streamNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such stream.');
}

export function streamEnded(): AppError {
  return new AppError('CONFLICT', 'The stream has ended.', { state: 'ended' });
}

export function notAllowed(): AppError {
  return new AppError('FORBIDDEN', 'Only the broadcaster and admins may do this.');
}

export function joinFirst(): AppError {
  return new AppError('FORBIDDEN', 'Join the stream first.');
}

export function banned(): AppError {
  return new AppError('FORBIDDEN', 'You were put out of this stream.');
}

/** What viewers read as somebody's name: an admin's token may have none. */
export function nameIn({ type, name }: Identity): string {
  return type === 'admin' && name === '' ? 'Admin' : name;
}
