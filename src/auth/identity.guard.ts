import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { AppError } from '../contract/errors.js';
import type { AuthenticatedData } from './authenticated-data.js';

/** A socket lives on this long after its token has run out, so that the client can hand in a new one (contract §2). */
const EXPIRY_GRACE_MS = 30_000;

/** Refuses every event of a socket without an identity, or with one whose token has run out. */
@Injectable()
export class IdentityGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { user, expiresAt } = context.switchToWs().getClient<{ data: Partial<AuthenticatedData> }>().data;
    if (user === undefined || expiresAt === undefined)
      throw new AppError('UNAUTHENTICATED', 'This connection has no identity.');
    if (expiresAt !== null && Date.now() > expiresAt + EXPIRY_GRACE_MS) {
      throw new AppError('TOKEN_EXPIRED', 'The token of this connection has expired.');
    }
    return true;
  }
}
