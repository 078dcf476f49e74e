/** What is put right in a message. */
export const MESSAGE_FAULTS = {
  conversationId: 'conversation id was not a text',
  timestamp: 'time was missing or not a date',
  sender: "sender's id or kind was missing, of another type or written differently",
  recipient: "recipient's id or kind was missing, of another type or not the other participant",
  profile: "sender's name or picture was missing: taken from users or astrologers",
  content: 'content was missing or not a text',
  messageType: 'messageType was missing or unknown',
  status: 'status was missing, unknown or behind readAt, isRead or readBy',
  media: 'media fields were empty or of another type',
  reply: 'replyToId was not an ObjectId',
  clientMessageId: 'clientMessageId was empty, of another type or not unique (kept as formerClientMessageId)',
  change: 'marks of editing, deletion or reactions were of another type',
} as const;

/** Why a message cannot be made usable. It is left as it is. */
export const BROKEN_MESSAGES = {
  oddId: 'its _id is not an ObjectId',
  noConversationId: 'it has no usable conversationId',
  noSender: 'it has no usable sender',
  notParticipant: 'its sender is neither of the two participants',
  noParticipants: 'the two participants of its conversation cannot be found out',
} as const;

/** What is put right in a conversation, or worth knowing of it. */
export const CONVERSATION_FAULTS = {
  noDocument: 'had messages but no document: one is made',
  objectId: 'had an ObjectId as _id: copied to the same id as text, the former document stays',
  participants: 'participants were of another type, written differently, repeated or more than two',
  fromMessages: 'participants were missing: taken from the messages',
  fromId: 'participants were missing: taken from the id, as a last resort',
  started: 'the server had stored messages in it before: the former ones follow after these',
  otherId: "have another id than the pair's own: a message sent without conversationId starts a second one",
  samePair: 'are of a pair that has more than one conversation: they stay apart',
  mayNotWrite: 'are of two kinds of accounts that may not write to each other: they stay readable',
} as const;

export type MessageFault = keyof typeof MESSAGE_FAULTS;
export type BrokenMessage = keyof typeof BROKEN_MESSAGES;
export type ConversationFault = keyof typeof CONVERSATION_FAULTS;

export type Counts<K extends string> = Partial<Record<K, number>>;

/** What a run did, or would do. */
export interface MigrationReport {
  /** False: a dry run. */
  isApplied: boolean;
  messages: { numbered: number; faults: Counts<MessageFault>; broken: Counts<BrokenMessage> };
  conversations: { migrated: number; faults: Counts<ConversationFault>; broken: number };
}

export function emptyReport(isApplied: boolean): MigrationReport {
  return {
    isApplied,
    messages: { numbered: 0, faults: {}, broken: {} },
    conversations: { migrated: 0, faults: {}, broken: 0 },
  };
}

export function count<K extends string>(counts: Counts<K>, key: K, by = 1): void {
  if (by > 0) counts[key] = (counts[key] ?? 0) + by;
}
