import type { JWTPayload } from 'jose';
import { AppError } from '../contract/errors.js';
import { ID_PATTERN, type Party, USER_TYPES, type UserType } from '../contract/identity.js';

const MAX_NAME_LENGTH = 100;
const MAX_AVATAR_LENGTH = 2048;

/** What a good token says of its bearer. */
export interface TokenClaims extends Party {
  /** Absent: to be looked up. */
  name?: string;
  avatar?: string;
  /** Only in the tokens of the mobile app. */
  sessionId?: string;
}

/**
 * Reads both claim shapes of contract §2: `{ sub, userType, name?, avatar? }` and `{ astrologerId, sessionId }`.
 * @throws AppError UNAUTHENTICATED when they name nobody
 */
export function readClaims(payload: JWTPayload): TokenClaims {
  const { sub, userType, astrologerId } = payload;
  const type = userType === undefined && astrologerId !== undefined ? 'astrologer' : userType;
  const id = type === 'astrologer' && astrologerId !== undefined && sub === undefined ? astrologerId : sub;
  if (!isUserType(type) || typeof id !== 'string' || !ID_PATTERN.test(id)) {
    throw new AppError('UNAUTHENTICATED', 'The token names no identity.');
  }
  return {
    id,
    type,
    name: text(payload.name, MAX_NAME_LENGTH),
    avatar: text(payload.avatar, MAX_AVATAR_LENGTH),
    sessionId: typeof payload.sessionId === 'string' ? payload.sessionId : undefined,
  };
}

/** A display text from outside: no control characters, bounded; undefined when there is none. */
export function text(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, maxLength);
  return clean === '' ? undefined : clean;
}

function isUserType(value: unknown): value is UserType {
  return (USER_TYPES as readonly unknown[]).includes(value);
}
