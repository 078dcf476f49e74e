import type { ExecutionContext } from '@nestjs/common';
import { IdentityGuard } from '../../src/auth/identity.guard.js';
import { AppError } from '../../src/contract/errors.js';

function refusalFor(data: object): string | undefined {
  const context = { switchToWs: () => ({ getClient: () => ({ data }) }) } as unknown as ExecutionContext;
  try {
    expect(new IdentityGuard().canActivate(context)).toBe(true);
    return undefined;
  } catch (error) {
    return (error as AppError).code;
  }
}

const someone = { id: 'u1', type: 'user', name: '', avatar: '' };

describe('the guard before every event', () => {
  it('refuses a socket without an identity', () => {
    expect(refusalFor({})).toBe('UNAUTHENTICATED');
    expect(refusalFor({ user: someone })).toBe('UNAUTHENTICATED');
  });

  it('checks the expiry on live sockets, with 30 s of grace', () => {
    expect(refusalFor({ user: someone, expiresAt: Date.now() + 1000 })).toBeUndefined();
    expect(refusalFor({ user: someone, expiresAt: Date.now() - 20_000 })).toBeUndefined();
    expect(refusalFor({ user: someone, expiresAt: Date.now() - 31_000 })).toBe('TOKEN_EXPIRED');
    expect(refusalFor({ user: someone, expiresAt: null })).toBeUndefined();
  });
});
