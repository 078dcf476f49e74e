import type { Connection, mongo } from 'mongoose';
import {
  DirectConversation,
  DirectConversationSchema,
} from '../direct-message/direct-conversation.schema.js';
import { DirectMessage, DirectMessageSchema } from '../direct-message/direct-message.schema.js';
import type { Party } from '../contract/identity.js';
import { type Mark, markId } from '../messaging/mark.schema.js';
import type { Place } from '../messaging/stored-message.js';
import type { LegacyDocument } from './legacy-values.js';
import { objectIdForm } from './participants.js';

const TEMPORARY_INDEX = 'samvad_migration';
const ORDER = { conversationId: 1, timestamp: 1, _id: 1 } as const;
/** A server that has said nothing for longer does not run any more; milliseconds. */
const NODE_SILENCE_MS = 20_000;
const SAMPLE = 50;

/** Where the newest message of a conversation stands, and between whom it went. */
export type NewestMessage = DirectMessage | null;

/** The collections that are migrated. Documents without a `seq` are the former backend's. */
export class LegacyStore {
  readonly messages: mongo.Collection;
  readonly conversations: mongo.Collection;
  readonly marks: mongo.Collection;
  private hasIndex: Promise<boolean> | undefined;

  constructor(private readonly connection: Connection) {
    this.messages = this.collection('directmessages');
    this.conversations = this.collection('directconversations');
    this.marks = this.collection('directmarks');
  }

  /** Messages that have no place yet. */
  countPending(): Promise<number> {
    return this.messages.countDocuments({ seq: null });
  }

  /** How many nodes of the server use this database now, by the database's clock. */
  countLiveNodes(): Promise<number> {
    return this.collection('nodes').countDocuments({
      $expr: { $gt: ['$aliveAt', { $subtract: ['$$NOW', NODE_SILENCE_MS] }] },
    });
  }

  /** Messages without a place, in no order. */
  pending(): mongo.FindCursor<LegacyDocument> {
    return this.messages.find({ seq: null });
  }

  /** Messages without a place: conversation by conversation, oldest first. Needs the temporary index. */
  pendingInOrder(): mongo.FindCursor<LegacyDocument> {
    return this.messages.find({ seq: null }, { sort: ORDER, hint: TEMPORARY_INDEX });
  }

  async makeTemporaryIndex(): Promise<void> {
    await this.messages.createIndex(ORDER, { name: TEMPORARY_INDEX });
    this.hasIndex = Promise.resolve(true);
  }

  async dropTemporaryIndex(): Promise<void> {
    const indexes = await this.messageIndexes();
    if (indexes.some(({ name }) => name === TEMPORARY_INDEX)) await this.messages.dropIndex(TEMPORARY_INDEX);
  }

  /** Those that the server makes when it starts: every place is given under them. */
  async makeServerIndexes(): Promise<void> {
    await this.connection.model(DirectMessage.name, DirectMessageSchema).createIndexes();
    await this.connection.model(DirectConversation.name, DirectConversationSchema).createIndexes();
  }

  async hasUniqueClientMessageIds(): Promise<boolean> {
    const indexes = await this.messageIndexes();
    return indexes.some(({ unique, key }) => unique === true && 'clientMessageId' in key);
  }

  async newestMessage(conversationId: string): Promise<NewestMessage> {
    return (await this.messages.findOne(
      { conversationId, seq: { $gt: 0 } },
      { sort: { seq: -1 } },
    )) as NewestMessage;
  }

  /** The same by way of the server's index, which must exist: in a race with a server every millisecond counts. */
  async newestPlace(conversationId: string): Promise<Place | null> {
    const projection = { seq: 1, senderSeq: 1, senderId: 1, senderType: 1, conversationId: 1 };
    return this.messages.findOne<Place>(
      { conversationId, seq: { $gt: 0 } },
      { sort: { seq: -1 }, projection, hint: 'conversationId_1_seq_1' },
    );
  }

  /** When anything was last said in it: not by its newest message, if a server had stored messages before the former ones. */
  async lastTime(conversationId: string): Promise<Date | undefined> {
    const last = await this.messages.findOne<{ timestamp: Date }>(
      { conversationId, seq: { $gt: 0 } },
      { sort: { timestamp: -1 }, projection: { timestamp: 1 } },
    );
    return last?.timestamp;
  }

  mark(party: Party, conversationId: string): Promise<Mark | null> {
    return this.marks.findOne<Mark>({ _id: markId(party, conversationId) as never });
  }

  conversation(conversationId: string): Promise<LegacyDocument | null> {
    return this.conversations.findOne({ _id: conversationId as never });
  }

  /** The document of which `conversation` is, or will be, the copy. */
  async conversationByObjectId(conversationId: string): Promise<LegacyDocument | null> {
    const _id = objectIdForm(conversationId);
    return _id === undefined ? null : this.conversations.findOne({ _id });
  }

  /** Some messages of the conversation that name both sides. */
  sampleMessages(conversationId: string): Promise<LegacyDocument[]> {
    const forms = [conversationId, objectIdForm(conversationId)].filter((form) => form !== undefined);
    const isThere = { $exists: true, $ne: null };
    const filter = { senderId: isThere, senderType: isThere, recipientId: isThere, recipientType: isThere };
    return this.messages
      .find({ conversationId: { $in: forms }, ...filter })
      .limit(SAMPLE)
      .toArray();
  }

  /** Whether the messages of one conversation can be found without reading all messages. */
  canSample(): Promise<boolean> {
    this.hasIndex ??= this.messageIndexes().then((indexes) =>
      indexes.some(
        ({ key, partialFilterExpression: partial }) =>
          partial === undefined && Object.keys(key)[0] === 'conversationId',
      ),
    );
    return this.hasIndex;
  }

  private collection(name: string): mongo.Collection {
    return this.connection.getClient().db(this.connection.name).collection(name);
  }

  /** None while there is no such collection. */
  private async messageIndexes(): Promise<mongo.IndexDescriptionInfo[]> {
    const database = this.connection.getClient().db(this.connection.name);
    const collections = await database.listCollections({ name: this.messages.collectionName }).toArray();
    return collections.length > 0 ? this.messages.indexes() : [];
  }
}
