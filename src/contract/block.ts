import type { UserType } from './identity.js';

/** Somebody whom one has blocked: the ack of `dm:block`, and each entry of `dm:blocks`. */
export interface BlockPayload {
  userId: string;
  userType: UserType;
  /** ISO 8601: when they were blocked first; a repeated block does not move it. */
  blockedAt: string;
}

/** The ack of `dm:unblock`. */
export interface UnblockPayload {
  userId: string;
  userType: UserType;
}

/** The ack of `dm:blocks`. */
export interface BlocksPayload {
  /** Newest first. */
  blocked: BlockPayload[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
}
