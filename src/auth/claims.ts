import type { JWTPayload } from 'jose';
import { AppError } from '../contract/errors.js';
import { ID_PATTERN, type Party, USER_TYPES, type UserType } from '../contract/identity.js';
import { avatarUrl, displayName } from './display-text.js';

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
  const { sub, userType, astrologerId, sessionId } = payload;
  const type = userType === undefined && astrologerId !== undefined ? 'astrologer' : userType;
  const id =
    userType === undefined ? astrologerId : (sub ?? (type === 'astrologer' ? astrologerId : undefined));
  if (!isUserType(type) || typeof id !== 'string' || !ID_PATTERN.test(id)) {
    throw new AppError('UNAUTHENTICATED', 'The token names no identity.');
  }
  // One that cannot be compared must not count as none.
  if (sessionId !== undefined && typeof sessionId !== 'string') {
    throw new AppError('UNAUTHENTICATED', 'The session of the token is not valid.');
  }
  return {
    id,
    type,
    name: displayName(payload.name),
    avatar: avatarUrl(payload.avatar),
    sessionId,
  };
}

function isUserType(value: unknown): value is UserType {
  return (USER_TYPES as readonly unknown[]).includes(value);
}
