import type { Types } from 'mongoose';
import type { UserType } from '../contract/identity.js';

/** What every message has, whichever collection it is stored in. */
export interface StoredMessage {
  _id: Types.ObjectId;
  conversationId: string;
  /** 1, 2, 3, … within the conversation, without gaps (contract §3, "Sending"). */
  seq: number;
  /** 1, 2, 3, … among the sender's own messages in the conversation: unread counts are differences of it, never counted. */
  senderSeq: number;
  senderId: string;
  senderType: UserType;
  /** Chosen by the client, unique per sender; absent when it chose none. */
  clientMessageId?: string;
  timestamp: Date;
}

/** A message that has not got its place yet. */
export type Draft<M extends StoredMessage> = Omit<M, 'seq' | 'senderSeq'>;

/** Where a message stands in its conversation, and by whom it is. */
export type Place = Pick<StoredMessage, 'conversationId' | 'seq' | 'senderSeq' | 'senderId' | 'senderType'>;
