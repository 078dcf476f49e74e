import type { ErrorEvent } from './ack.js';
import type {
  ConversationJoinedPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
} from './direct-message.js';
import type { UserType } from './identity.js';

/** Sent once when a socket is let in (contract §2). */
export interface ConnectedPayload {
  socketId: string;
  user: { id: string; name: string; avatar: string; role: UserType; userType: UserType; isAnonymous: false };
  /** Epoch milliseconds. */
  timestamp: number;
}

/** The token has run out and so has the grace: the connection ends now (contract §2). */
export interface AuthExpiredPayload {
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** Every event that the server sends, with the one argument that it carries (contract §1). */
export interface ServerEvents {
  error: ErrorEvent;
  connected: ConnectedPayload;
  'auth:expired': AuthExpiredPayload;
  'dm:joined': ConversationJoinedPayload;
  'dm:history': DirectHistoryPayload;
  'dm:message_received': DirectMessagePayload;
  'dm:message_sent': DirectMessagePayload;
}

/** The same in the form in which Socket.IO's types want it. */
export type ServerToClientEvents = { [E in keyof ServerEvents]: (payload: ServerEvents[E]) => void };
