/** Acknowledges `auth:refresh`. */
export interface AuthRefreshPayload {
  /** When the connection's token runs out now, epoch milliseconds; null: never. */
  expiresAt: number | null;
}

/** The token runs out within a minute: time for `auth:refresh` (contract §2). */
export interface AuthExpiringPayload {
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** The token has run out and so has the grace: the connection ends now (contract §2). */
export interface AuthExpiredPayload {
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** The connection ends now, by the server's will: because of newer ones of the same identity, or because an admin wants it. */
export interface AuthDisconnectedPayload {
  reason: 'too_many_connections' | 'by_admin';
  message: string;
}

/** Acknowledges `admin:disconnect`. */
export interface AdminDisconnectPayload {
  userId: string;
  userType: string;
}
