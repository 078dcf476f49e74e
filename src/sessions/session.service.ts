import { Injectable } from '@nestjs/common';
import type { AuthenticatedData } from '../auth/authenticated-data.js';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party } from '../contract/identity.js';
import type { AdminDisconnectPayload, AuthRefreshPayload } from '../contract/session.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { Logins } from '../realtime/logins.js';
import { identityRoom } from '../realtime/rooms.js';
import { TokenExpiry } from '../realtime/token-expiry.js';

/** How long a connection lives: longer with a fresh token, no longer when an admin ends it (contract §2). */
@Injectable()
export class SessionService {
  constructor(
    private readonly logins: Logins,
    private readonly expiry: TokenExpiry,
    private readonly emitter: EmitterService,
  ) {}

  /**
   * A fresh token for the connection's own identity, looked at as at the handshake, the astrologer's session included; failures count as failed
   * logins. Round trips: those of a handshake, at most one read, and none when the name is in the token.
   * @throws AppError UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED, UNAVAILABLE, or FORBIDDEN for a token of somebody else
   */
  async refresh(
    socketId: string,
    { user, address }: AuthenticatedData,
    token: string,
  ): Promise<AuthRefreshPayload> {
    const fresh = await this.logins.authenticate({ auth: { token }, headers: {} }, address);
    if (!isSameParty(fresh.user, user)) throw new AppError('FORBIDDEN', 'The token is of somebody else.');
    return { expiresAt: this.expiry.extend(socketId, fresh.expiresAt) };
  }

  /**
   * Ends every connection of an identity, on every node, but the one that asks. It may come back: whoever shall not, needs a token no more.
   * No database; one broadcast and one order to all nodes.
   * @throws AppError FORBIDDEN for everybody but admins
   */
  disconnect(user: Identity, socketId: string, target: Party, reason: string): AdminDisconnectPayload {
    if (user.type !== 'admin') throw new AppError('FORBIDDEN', 'Only admins end the connections of others.');
    const message = reason.trim() === '' ? 'An admin ended this connection.' : reason;
    this.emitter.disconnect(identityRoom(target), { reason: 'by_admin', message }, socketId);
    return { userId: target.id, userType: target.type };
  }
}
