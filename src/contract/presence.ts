import type { Party } from './identity.js';

/** Who is connected (contract §7). */
export interface PresencePayload extends Party {
  isOnline: boolean;
  /** ISO 8601: when they were last seen connected; null when never. */
  lastSeen: string | null;
}

/** The ack of `presence:get`, in the order of the request. */
export interface PresenceListPayload {
  users: PresencePayload[];
}

/** `astrologer:status_changed`, to the admins. */
export interface AstrologerStatusPayload {
  astrologerId: string;
  isOnline: boolean;
  /** ISO 8601. */
  lastSeen: string | null;
  name: string;
  profilePicture: string;
}

/** `stats`, the answer to an admin's `get_stats`. */
export interface StatsPayload {
  /** Sockets of the node that answers. */
  connectedSockets: number;
  /** Identities with a socket on any node. */
  onlineUsers: number;
  onlineAstrologers: number;
  onlineAdmins: number;
  /** Seconds since the node that answers was started. */
  uptimeSeconds: number;
  /** ISO 8601. */
  timestamp: string;
}
