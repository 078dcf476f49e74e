import type mongoose from 'mongoose';
import type { MessageStatus } from '../../../src/contract/direct-message.js';
import type { Person } from '../token.js';
import type { SoakDriver } from './driver.js';
import { keyOf } from './people.js';

export interface StoredMark {
  readSeq: number;
  deliveredSeq: number;
}

interface StoredMessage {
  id: string;
  seq: number;
  senderKey: string;
  clientMessageId: string;
  content: string;
  /** Of direct messages. */
  status?: MessageStatus;
}

export interface StoredTalk {
  /** In the order of `seq`. */
  messages: StoredMessage[];
  /** What the conversation says of its newest message. */
  noted: { lastSeq: number; lastMessage: string };
  markOf: (person: Person) => StoredMark;
}

/** What is in the database, by conversation. */
export type Truth = Map<string, StoredTalk>;

interface MessageDocument extends Omit<StoredMessage, 'id' | 'senderKey'> {
  _id: mongoose.mongo.ObjectId;
  conversationId: string;
  senderId: string;
  senderType: Person['type'];
}

interface ConversationDocument {
  _id: string;
  lastSeq: number;
  lastMessage?: string;
}

interface MarkDocument extends StoredMark {
  conversationId: string;
  party: Person;
}

export async function readTruth(database: mongoose.mongo.Db, { collections }: SoakDriver): Promise<Truth> {
  const messages = await database.collection<MessageDocument>(collections.messages).find().toArray();
  const conversations = await database
    .collection<ConversationDocument>(collections.conversations)
    .find()
    .toArray();
  const marks = await database.collection<MarkDocument>(collections.marks).find().toArray();
  const truth: Truth = new Map();
  for (const { _id, lastSeq, lastMessage = '' } of conversations) {
    const byPerson = new Map(
      marks.filter((mark) => mark.conversationId === _id).map((mark) => [keyOf(mark.party), mark]),
    );
    truth.set(_id, {
      messages: messages
        .filter(({ conversationId }) => conversationId === _id)
        .map(({ _id: id, senderId, senderType, seq, clientMessageId, content, status }) => ({
          id: id.toHexString(),
          seq,
          senderKey: keyOf({ id: senderId, type: senderType }),
          clientMessageId,
          content,
          status,
        }))
        .toSorted((a, b) => a.seq - b.seq),
      noted: { lastSeq, lastMessage },
      markOf: (person) => byPerson.get(keyOf(person)) ?? { readSeq: 0, deliveredSeq: 0 },
    });
  }
  return truth;
}
