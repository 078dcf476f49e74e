import type { Identity, UserType } from '../contract/identity.js';

/** `socket.data` of a socket that was let in (contract §2). */
export interface AuthenticatedData {
  user: Identity;
  userId: string;
  userType: UserType;
  /** Epoch milliseconds; null: never. */
  expiresAt: number | null;
  /** From where it came, as limits count: an IPv4 address or an IPv6 network. */
  address: string;
}
