import { AppError } from '../contract/errors.js';
import type { Party, UserType } from '../contract/identity.js';

/** Which pairs may talk, and the id of their conversation (contract §3). The order of the parties is that of the id. */
const PAIRS: { types: [UserType, UserType]; id: (first: string, second: string) => string }[] = [
  { types: ['user', 'astrologer'], id: (user, astrologer) => `user_${user}_${astrologer}` },
  { types: ['admin', 'astrologer'], id: (_admin, astrologer) => `admin_${astrologer}` },
  { types: ['admin', 'user'], id: (_admin, user) => `admin_user_${user}` },
];

/**
 * The one id under which two parties talk, whichever of them asks.
 * @throws AppError FORBIDDEN for a pair that may not talk
 */
export function canonicalConversationId(a: Party, b: Party): string {
  for (const { types, id } of PAIRS) {
    if (types[0] === a.type && types[1] === b.type) return id(escapeId(a.id), escapeId(b.id));
    if (types[0] === b.type && types[1] === a.type) return id(escapeId(b.id), escapeId(a.id));
  }
  throw new AppError('FORBIDDEN', 'These two kinds of accounts may not talk to each other.');
}

/**
 * Whether an id that nothing is stored under could only be a conversation of this party: its own place in it, the other's name open.
 * Nothing is read or joined on the strength of it: it keeps a pair that has not spoken yet from looking like a stranger's conversation.
 */
export function couldBeParticipant(conversationId: string, { id, type }: Party): boolean {
  const own = escapeId(id);
  switch (type) {
    case 'admin':
      return ADMINS_CONVERSATION.test(conversationId) || USERS_CONVERSATION.test(conversationId);
    case 'astrologer':
      return (
        conversationId === `admin_${own}` ||
        (USERS_CONVERSATION.test(conversationId) && conversationId.endsWith(`_${own}`))
      );
    case 'user':
      return (
        conversationId === `admin_user_${own}` ||
        (USERS_CONVERSATION.test(conversationId) && conversationId.startsWith(`user_${own}_`))
      );
  }
}

const USERS_CONVERSATION = /^user_[^_\s]+_[^_\s]+$/;
const ADMINS_CONVERSATION = /^admin_(user_)?[^_\s]+$/;

/** Underscores separate the parts of an id, so none may stand within one; the escape sign is escaped for the same reason. */
function escapeId(id: string): string {
  return id.replaceAll('%', '%25').replaceAll('_', '%5F');
}
