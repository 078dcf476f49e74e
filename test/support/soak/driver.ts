import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import type { Person } from '../token.js';
import type { Talk } from './people.js';
import type { StoredMark } from './truth.js';

/** What the soak looks at of a message, of whichever kind; the optional fields are of direct messages alone. */
export type SoakMessage = Pick<
  DirectMessagePayload,
  'id' | 'conversationId' | 'seq' | 'senderId' | 'senderType' | 'content' | 'timestamp'
> &
  Partial<Pick<DirectMessagePayload, 'status' | 'recipientId' | 'recipientType'>>;

/** An entry of a list of conversations. */
export interface SoakEntry {
  conversationId: string;
  lastSeq: number;
  lastMessage: string | null;
  lastMessageAt: string | null;
  lastSenderId: string | null;
  unreadCount: number;
  readSeq: number;
  updatedAt: string;
  /** Further figures, none of which ever goes back. */
  others: Record<string, number>;
}

export interface ListPage {
  entries: SoakEntry[];
  nextCursor: string | null;
}

export interface HistoryPage {
  messages: SoakMessage[];
  hasMore: boolean;
}

/** Sends an event; rejects when the connection ends, or the event is refused. */
export type Ask = <T>(event: string, payload: object) => Promise<T>;

/** How the soak talks over one kind of conversation; everything else is the same for all. */
export interface SoakDriver {
  /** Makes the conversations, at a server that runs. */
  makeTalks: (address: string) => Promise<Talk[]>;
  /** What a device listens for, and sends. */
  events: { received: string; read: string; join: string; markRead: string };
  /** What direct messages know besides: marks for what has arrived, and reading by the ids of messages. */
  markDelivered?: string;
  sending: (
    talk: Talk,
    sender: Person,
    message: { content: string; clientMessageId: string },
  ) => { event: string; payload: object };
  /** A message as it is received, acknowledged, or in a history. */
  messageOf: (payload: object) => SoakMessage;
  readList: (ask: Ask, window: object) => Promise<ListPage>;
  readHistory: (ask: Ask, window: object) => Promise<HistoryPage>;
  /** What `others` of an entry must be. */
  otherFigures: (
    talk: Talk,
    person: Person,
    markOf: (person: Person) => StoredMark,
  ) => Record<string, number>;
  /** Where it is stored. */
  collections: { messages: string; conversations: string; marks: string };
}
