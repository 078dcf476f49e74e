import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { AppError } from '../contract/errors.js';
import { type Identity, SHARED_ADMIN_ID } from '../contract/identity.js';
import { readClaims } from './claims.js';
import { ProfileService } from './profile.service.js';
import { TokenVerifier } from './token-verifier.js';

/** Who a handshake was found to be. */
export interface Authenticated {
  user: Identity;
  /** Epoch milliseconds; null for the admin key, which does not expire. */
  expiresAt: number | null;
}

/** What of a Socket.IO handshake matters here; all of it comes from the client. */
export interface HandshakeCredentials {
  auth?: Record<string, unknown>;
  headers: { authorization?: string };
}

/** Turns the token of a handshake into an identity (contract §2). Nobody is ever let in without one. */
@Injectable()
export class AuthenticationService {
  private readonly adminKeyDigest: Buffer | undefined;

  constructor(
    { auth }: AppConfig,
    private readonly verifier: TokenVerifier,
    private readonly profiles: ProfileService,
  ) {
    this.adminKeyDigest = auth.adminKey === undefined ? undefined : digest(auth.adminKey);
  }

  /**
   * @throws AppError UNAUTHENTICATED, TOKEN_EXPIRED, or UNAVAILABLE when a key set or a session cannot be looked up
   */
  async authenticate(credentials: HandshakeCredentials): Promise<Authenticated> {
    const token = tokenOf(credentials);
    if (token === undefined) throw new AppError('UNAUTHENTICATED', 'A token is required.');
    if (this.isAdminKey(token)) {
      return { user: { id: SHARED_ADMIN_ID, type: 'admin', name: 'Admin', avatar: '' }, expiresAt: null };
    }
    const payload = await this.verifier.verify(token);
    const user = await this.profiles.complete(readClaims(payload));
    return { user, expiresAt: (payload.exp ?? 0) * 1000 };
  }

  /** Digests are compared, so that neither content nor length of the key shows in the time it takes. */
  private isAdminKey(token: string): boolean {
    return this.adminKeyDigest !== undefined && timingSafeEqual(digest(token), this.adminKeyDigest);
  }
}

/** What was handed in, if anything. */
export function tokenOf({ auth, headers }: HandshakeCredentials): string | undefined {
  if (typeof auth?.token === 'string' && auth.token !== '') return auth.token;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
