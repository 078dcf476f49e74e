import { createPublicKey } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { AppConfig, type TokenKey } from '../config/config.js';
import { AppError } from '../contract/errors.js';
import { SharedSecret } from './shared-secret.js';

const logger = new Logger('TokenVerifier');

/** Longer tokens are refused before any cryptography. Characters. */
const MAX_TOKEN_LENGTH = 8192;
const CLOCK_TOLERANCE_SECONDS = 5;
const JWKS_TIMEOUT_MS = 3000;
const REPORT_INTERVAL_MS = 10_000;

/** Checks signature, expiry, issuer and audience of a JWT (contract §2). */
@Injectable()
export class TokenVerifier {
  private readonly key: JWTVerifyGetKey | SharedSecret;
  private readonly options: JWTVerifyOptions;

  constructor({ auth }: AppConfig) {
    this.key = keyLookup(auth.tokenKey);
    this.options = {
      algorithms: algorithmsFor(auth.tokenKey),
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      issuer: auth.issuer,
      audience: auth.audience,
    };
  }

  /**
   * @throws AppError TOKEN_EXPIRED, UNAUTHENTICATED, or UNAVAILABLE when the key set cannot be fetched
   */
  async verify(token: string): Promise<JWTPayload> {
    if (token.length > MAX_TOKEN_LENGTH) throw new AppError('UNAUTHENTICATED', 'The token is not valid.');
    try {
      if (this.key instanceof SharedSecret) return this.key.verify(token, this.options);
      return (await jwtVerify(token, this.key, this.options)).payload;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** The algorithm follows from the configured key alone: a token must not choose how it is checked. */
function algorithmsFor(key: TokenKey): string[] {
  switch (key.kind) {
    case 'secret':
      return ['HS256'];
    case 'public-key':
      return [key.algorithm];
    case 'jwks':
      return ['RS256', 'ES256'];
  }
}

function keyLookup(key: TokenKey): JWTVerifyGetKey | SharedSecret {
  if (key.kind === 'secret') return new SharedSecret(key.secret);
  if (key.kind === 'jwks') return createRemoteJWKSet(new URL(key.url), { timeoutDuration: JWKS_TIMEOUT_MS });
  const local = createPublicKey(key.pem);
  return () => Promise.resolve(local);
}

/** These are about the key set that we fetched, not about the token. */
const KEY_SET_FAULTS = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

function refusalOf(error: unknown): AppError {
  if (error instanceof errors.JWTExpired) return new AppError('TOKEN_EXPIRED', 'The token has expired.');
  if (error instanceof errors.JOSEError && !KEY_SET_FAULTS.has(error.code)) {
    return new AppError('UNAUTHENTICATED', 'The token is not valid.');
  }
  reportKeyFault(error as Error);
  return new AppError('UNAVAILABLE', 'Tokens cannot be checked right now.');
}

let reportedAt = 0;

/** Every handshake fails while the key set is wrong or away: one line now and then says enough. */
function reportKeyFault({ name, message }: Error): void {
  if (Date.now() - reportedAt < REPORT_INTERVAL_MS) return;
  reportedAt = Date.now();
  logger.error(`Tokens cannot be checked: ${name}: ${message}`);
}
