import { Injectable } from '@nestjs/common';
import {
  type Authenticated,
  AuthenticationService,
  type HandshakeCredentials,
  tokenOf,
} from '../auth/authentication.service.js';
import { AppError } from '../contract/errors.js';
import { rateLimited, RateLimiter } from '../limits/rate-limiter.js';

/** Three parts, as a JWT has: what does not look like one can only be meant as the admin key. A key may look like one, too. */
const JWT_PATTERN = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * Logins, with the limits of the address from which they come (contract §9). Tokens that are no good are counted and, when there are too many,
 * refused as such; a good token is let in however many came before it. The admin key could be guessed, so it is refused as well while there
 * are too many texts from its address that could be guesses. A token that has run out was good once, and is no failure.
 */
@Injectable()
export class Logins {
  constructor(
    private readonly authentication: AuthenticationService,
    private readonly limiter: RateLimiter,
  ) {}

  /** @throws AppError RATE_LIMITED */
  async countHandshake(address: string): Promise<void> {
    const retryAfterMs = await this.limiter.consume('handshake', address);
    if (retryAfterMs !== undefined) throw rateLimited(retryAfterMs);
  }

  /** @throws AppError as AuthenticationService.authenticate, or RATE_LIMITED */
  async authenticate(credentials: HandshakeCredentials, address: string): Promise<Authenticated> {
    const isToken = JWT_PATTERN.test(tokenOf(credentials) ?? '');
    const counted = `${isToken ? 'token' : 'key'}:${address}`;
    const authenticated = await this.tryTo(credentials, counted);
    // Only the key does not expire. One that looks like a token is guessed at by what is counted as tokens.
    const isKey = authenticated.expiresAt === null;
    const retryAfterMs = isKey ? await this.limiter.waitOf('failedLogin', counted) : undefined;
    if (retryAfterMs !== undefined) throw rateLimited(retryAfterMs);
    return authenticated;
  }

  private async tryTo(credentials: HandshakeCredentials, counted: string): Promise<Authenticated> {
    try {
      return await this.authentication.authenticate(credentials);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'UNAUTHENTICATED') throw error;
      const retryAfterMs = await this.limiter.consume('failedLogin', counted);
      throw retryAfterMs === undefined ? error : rateLimited(retryAfterMs);
    }
  }
}
