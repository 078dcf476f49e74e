import type { UserType } from './identity.js';

/** Who types, in a conversation of whichever kind. */
export interface TypingPayload {
  conversationId: string;
  userId: string;
  userType: UserType;
  userName: string;
}
