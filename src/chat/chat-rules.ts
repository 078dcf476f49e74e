import { AppError } from '../contract/errors.js';
import { type Identity, type Party, partyKey, partyOf } from '../contract/identity.js';
import type { UpdateQuery } from 'mongoose';
import { type ChatRoom, MAX_MEMBERS, memberOf, newMember, type RoomNotice } from './chat-room.schema.js';

/** A change of members or title, as it is to be written, and what the members are told of it; without a notice they are told nothing. */
export interface RoomChange {
  update: UpdateQuery<ChatRoom>;
  notice?: Omit<RoomNotice, 'version' | 'at' | 'socketId'>;
}

/** Somebody with the name under which they were last here. */
export type Named = Party & { name: string };

/** For a room that does not exist and for one of others: the two look the same. */
export function roomNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such chat room.');
}

/**
 * Astrologers and admins open rooms with anybody, users with astrologers.
 * @throws AppError FORBIDDEN
 */
export function assertMayInvite(user: Identity, invited: Party[]): void {
  if (user.type === 'user' && invited.some(({ type }) => type !== 'astrologer'))
    throw new AppError('FORBIDDEN', 'Users may be in rooms of their own with astrologers only.');
}

/** Null when they are a member already. @throws AppError NOT_FOUND, FORBIDDEN, CONFLICT with state `full` */
export function additionTo(
  room: ChatRoom,
  user: Identity,
  subject: Named,
  othersBefore: number,
): RoomChange | null {
  assertMayManage(room, user);
  assertMayInvite(user, [subject]);
  if (memberOf(room, subject) !== undefined) return null;
  if (room.memberCount >= MAX_MEMBERS)
    throw new AppError('CONFLICT', `A room has at most ${MAX_MEMBERS} members.`, { state: 'full' });
  const key = partyKey(subject);
  return {
    update: {
      $push: { members: newMember(key, othersBefore) },
      $inc: { memberCount: 1 },
      // Of a room that everybody had left.
      ...(room.owner === null && { $set: { owner: key } }),
    },
    notice: { event: 'added', actor: user, subject },
  };
}

/** Null when they are no member. @throws AppError NOT_FOUND, FORBIDDEN */
export function removalFrom(room: ChatRoom, user: Identity, subject: Named): RoomChange | null {
  if (partyKey(subject) === partyKey(user)) return departureOf(room, user);
  assertMayManage(room, user);
  if (memberOf(room, subject) === undefined) return null;
  return { update: without(room, subject), notice: { event: 'removed', actor: user, subject } };
}

/** @throws AppError NOT_FOUND */
export function departureOf(room: ChatRoom, user: Identity): RoomChange {
  if (memberOf(room, user) === undefined) throw roomNotFound();
  const subject = { ...partyOf(user), name: user.name };
  return { update: without(room, subject), notice: { event: 'left', actor: user, subject } };
}

/** Null when it is its title already. @throws AppError NOT_FOUND, FORBIDDEN */
export function renamingOf(room: ChatRoom, user: Identity, title: string): RoomChange | null {
  assertMayManage(room, user);
  if (room.title === title) return null;
  const subject = { ...partyOf(user), name: user.name };
  return { update: { $set: { title } }, notice: { event: 'renamed', actor: user, subject, title } };
}

/** Null when it is so already. @throws AppError NOT_FOUND */
export function mutingOf(room: ChatRoom, user: Identity, isMuted: boolean): RoomChange | null {
  const own = memberOf(room, user);
  if (own === undefined) throw roomNotFound();
  if ((own.isMuted ?? false) === isMuted) return null;
  // The place is right as long as the version is.
  return { update: { $set: { [`members.${room.members.indexOf(own)}.isMuted`]: isMuted } } };
}

/** Who has been a member for longest owns a room that its owner leaves. */
function without(room: ChatRoom, subject: Party): UpdateQuery<ChatRoom> {
  const key = partyKey(subject);
  const heir = room.members.find((member) => member.key !== key)?.key ?? null;
  return {
    $pull: { members: { key } },
    $inc: { memberCount: -1 },
    ...(room.owner === key && { $set: { owner: heir } }),
  };
}

/** The owner, and every admin, member or not. */
function assertMayManage(room: ChatRoom, user: Identity): void {
  if (user.type === 'admin' || room.owner === partyKey(user)) return;
  if (memberOf(room, user) === undefined) throw roomNotFound();
  throw new AppError('FORBIDDEN', 'Only the owner of this room may do this.');
}
