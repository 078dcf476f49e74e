import { SignJWT, type JWTPayload } from 'jose';
import type { UserType } from '../../src/contract/identity.js';

export const TEST_SECRET = 'a-secret-that-only-the-tests-know-0123456789';

/** A token as an application's own backend would sign it; `expiresIn` in seconds. */
export function signToken(
  claims: JWTPayload,
  { secret = TEST_SECRET, expiresIn = 3600 } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt(now)
    .setExpirationTime(now + expiresIn)
    .sign(new TextEncoder().encode(secret));
}

export interface Person {
  id: string;
  type: UserType;
  name?: string;
  avatar?: string;
}

export function tokenFor({ id, type, name = `Name of ${id}`, avatar = '' }: Person): Promise<string> {
  return signToken({ sub: id, userType: type, name, avatar });
}

export const user = (id: string): Person => ({ id, type: 'user' });
export const astrologer = (id: string): Person => ({ id, type: 'astrologer' });
export const admin = (id = 'admin'): Person => ({ id, type: 'admin' });
