import { mongo } from 'mongoose';
import { ID_PATTERN, type Party, partyOf, type UserType } from '../contract/identity.js';

/** A document as the former backend left it; fields may be missing, and of other types than they should be. */
export type LegacyDocument = Record<string, unknown>;

const USER_TYPE_WORDS: Record<string, UserType> = {
  user: 'user',
  users: 'user',
  customer: 'user',
  client: 'user',
  astrologer: 'astrologer',
  astrologers: 'astrologer',
  consultant: 'astrologer',
  admin: 'admin',
  admins: 'admin',
  administrator: 'admin',
};
const MAX_CONVERSATION_ID_LENGTH = 512;
/** A number below this counts seconds since 1970, not milliseconds. */
const SMALLEST_MILLISECONDS = 100_000_000_000;
const WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/** A person's id as text; undefined when it is none that a token could carry. */
export function toId(value: unknown): string | undefined {
  const id = toKey(value);
  return id !== undefined && ID_PATTERN.test(id) ? id : undefined;
}

/** A conversation's id as text; undefined when no client could ask for it. */
export function toConversationId(value: unknown): string | undefined {
  const id = toKey(value);
  return id !== undefined && id.length > 0 && id.length <= MAX_CONVERSATION_ID_LENGTH ? id : undefined;
}

export function toUserType(value: unknown): UserType | undefined {
  return typeof value === 'string' ? USER_TYPE_WORDS[value.trim().toLowerCase()] : undefined;
}

/** Somebody, if id and kind are known; all admins are one, whatever their ids were. */
export function toParty(id: unknown, type: unknown): Party | undefined {
  const userType = toUserType(type);
  const userId = userType === 'admin' ? '' : toId(id);
  return userType === undefined || userId === undefined ? undefined : partyOf({ id: userId, type: userType });
}

/** Dates, ISO and other texts (without a zone: UTC), and seconds or milliseconds since 1970. */
export function toDate(value: unknown): Date | undefined {
  let date: Date | undefined;
  if (value instanceof Date) date = value;
  else if (typeof value === 'number') date = new Date(value < SMALLEST_MILLISECONDS ? value * 1000 : value);
  else if (typeof value === 'string') return textToDate(value.trim());
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

export function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

export function toObjectId(value: unknown): mongo.ObjectId | undefined {
  if (value instanceof mongo.ObjectId) return value;
  return typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value) ? new mongo.ObjectId(value) : undefined;
}

/** A text that is not empty. */
export function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toKey(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof mongo.ObjectId) return value.toHexString();
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

function textToDate(text: string): Date | undefined {
  if (/^\d{9,}$/.test(text)) return toDate(Number(text));
  const date = new Date(WITHOUT_ZONE.test(text) ? `${text.replace(' ', 'T')}Z` : text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
