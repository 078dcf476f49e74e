import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { AppError } from '../contract/errors.js';
import type { AuthenticatedData } from './authenticated-data.js';

/** Refuses every event of a socket without an identity, or with one whose token has run out. */
@Injectable()
export class IdentityGuard implements CanActivate {
  constructor(private readonly config: AppConfig) {}

  canActivate(context: ExecutionContext): boolean {
    const { user, expiresAt } = context.switchToWs().getClient<{ data: Partial<AuthenticatedData> }>().data;
    if (user === undefined || expiresAt === undefined)
      throw new AppError('UNAUTHENTICATED', 'This connection has no identity.');
    if (expiresAt !== null && Date.now() > expiresAt + this.config.auth.expiryGraceMs) {
      throw new AppError('TOKEN_EXPIRED', 'The token of this connection has expired.');
    }
    return true;
  }
}
