import { type Model, mongo, Types } from 'mongoose';
import { isSameParty, type Party } from '../contract/identity.js';
import { onConnectionLost } from '../database/connection-lost.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import type { Place, StoredMessage } from './stored-message.js';

/** What became of an ordered insert: the first `inserted` messages are stored, the next one met `conflict`, the rest were not tried. */
export interface InsertOutcome {
  inserted: number;
  conflict?: 'seq' | 'clientMessageId' | 'other';
  /** What the database had against that one. */
  error?: unknown;
}

/** Looking through the messages of minutes may take longer than a connection may else be silent. */
const LONG_READ = { maxTimeMS: 60_000, socketTimeoutMS: 61_000 } as mongo.AggregateOptions;

/** By what a repeat is known. */
export type Idempotent = Pick<StoredMessage, 'senderType' | 'senderId' | 'clientMessageId'>;

const PLACE = { _id: 0, conversationId: 1, seq: 1, senderSeq: 1, senderId: 1, senderType: 1 } as const;

/**
 * Messages of one collection, read and written as plain documents: Mongoose's own documents would halve the throughput.
 * Both invariants are unique indexes: one message per (conversation, seq), one per (sender, clientMessageId).
 */
export class MessageRepository<M extends StoredMessage> {
  protected readonly collection: mongo.Collection<M>;

  constructor(private readonly model: Model<M>) {
    this.collection = model.collection as unknown as mongo.Collection<M>;
  }

  /** Without its indexes the collection keeps no promise, so the application does not start before they exist. */
  async createIndexes(): Promise<void> {
    await createIndexes(this.model);
  }

  /** Calls `forget` whenever the database was out of sight: it may have come back with less than it had. */
  onConnectionLost(forget: () => void): void {
    onConnectionLost(this.model.db, forget);
  }

  /** One round trip. Stops at the first message that cannot be stored, so a message exists only after its predecessor. */
  async insertInOrder(messages: M[]): Promise<InsertOutcome> {
    try {
      await this.collection.insertMany(messages as mongo.OptionalUnlessRequiredId<M>[], { ordered: true });
      return { inserted: messages.length };
    } catch (error) {
      const conflict = conflictOf(error);
      if (conflict === undefined) throw error;
      return conflict;
    }
  }

  /** The place of the newest message, or of the newest one up to `upToSeq`; null when there is none. */
  async lastPlace(conversationId: string, upToSeq?: number): Promise<Place | null> {
    const seq = { $gt: 0, ...(upToSeq !== undefined && { $lte: upToSeq }) };
    return await this.collection.findOne<Place>(inConversation<M>(conversationId, seq), {
      sort: { seq: -1 },
      projection: PLACE,
    });
  }

  /** The seq of the newest message; 0 when there is none. */
  async lastSeq(conversationId: string): Promise<number> {
    return (await this.lastPlace(conversationId))?.seq ?? 0;
  }

  /** The newest place among those messages of the conversation that the reader did not write; null when none of them is one. */
  async newestPlaceOf(conversationId: string, ids: Types.ObjectId[], reader: Party): Promise<Place | null> {
    const filter = { _id: { $in: ids }, conversationId, seq: { $gt: 0 } } as object as mongo.Filter<M>;
    const places = await this.collection.find<Place>(filter, { projection: PLACE }).toArray();
    return places
      .filter((place) => !isWrittenBy(place, reader))
      .reduce<Place | null>((newest, place) => ((newest?.seq ?? 0) < place.seq ? place : newest), null);
  }

  /** How many of the messages up to `place`, itself included, the party wrote. No count: the party's newest message there knows. */
  async countBy(party: Party, place: Place): Promise<number> {
    if (isWrittenBy(place, party)) return place.senderSeq;
    const { conversationId, seq } = place;
    const filter = { conversationId, senderType: party.type, senderId: party.id, seq: { $gt: 0, $lt: seq } };
    const newest = await this.collection.findOne<Place>(filter as object as mongo.Filter<M>, {
      sort: { seq: -1 },
      projection: PLACE,
    });
    return newest?.senderSeq ?? 0;
  }

  /** How many of the messages up to `place`, itself included, others than the party wrote; 0 without a place. */
  async countOthers(party: Party, place: Place | null): Promise<number> {
    return place === null ? 0 : place.seq - (await this.countBy(party, place));
  }

  /** Those of the messages that are stored under their sender and clientMessageId, by an earlier try. */
  async findByClientMessageIds(drafts: Idempotent[]): Promise<M[]> {
    const branches = drafts.map(({ senderType, senderId, clientMessageId }) => ({
      senderType,
      senderId,
      clientMessageId,
    }));
    return (await this.collection.find({ $or: branches } as mongo.Filter<M>).toArray()) as M[];
  }

  async findAll(ids: Types.ObjectId[]): Promise<M[]> {
    return (await this.collection.find({ _id: { $in: ids } } as object as mongo.Filter<M>).toArray()) as M[];
  }

  async exists(conversationId: string, messageId: Types.ObjectId): Promise<boolean> {
    const filter = { _id: messageId, conversationId, seq: { $gt: 0 } } as object as mongo.Filter<M>;
    const found = await this.collection.findOne(filter, { projection: { _id: 1 } });
    return found !== null;
  }

  /** Messages with `above < seq < below`, at most `limit`, in ascending (1) or descending (-1) order. */
  async range(
    conversationId: string,
    bounds: { above?: number; below?: number },
    order: 1 | -1,
    limit: number,
  ): Promise<M[]> {
    const { above = 0, below } = bounds;
    const seq = { $gt: above, ...(below !== undefined && { $lt: below }) };
    return (await this.collection
      .find(inConversation<M>(conversationId, seq), { sort: { seq: order }, limit })
      .toArray()) as M[];
  }

  /** The newest message of each conversation that has one, given a seq in each that it does not lie before. */
  async newestOfEach(conversations: { conversationId: string; fromSeq: number }[]): Promise<Map<string, M>> {
    if (conversations.length === 0) return new Map();
    const branches = conversations.map(({ conversationId, fromSeq }) =>
      inConversation<M>(conversationId, { $gt: Math.max(fromSeq - 1, 0) }),
    );
    const found = (await this.collection.find({ $or: branches } as mongo.Filter<M>).toArray()) as M[];
    const newest = new Map<string, M>();
    for (const message of found) {
      if ((newest.get(message.conversationId)?.seq ?? 0) < message.seq)
        newest.set(message.conversationId, message);
    }
    return newest;
  }

  /** Ids of the messages with `above < seq <= upTo` that the reader did not write, oldest first. */
  async idsForReader(conversationId: string, above: number, upTo: number, reader: Party): Promise<string[]> {
    const places = await this.collection
      .find<Place & Pick<M, '_id'>>(inConversation<M>(conversationId, { $gt: above, $lte: upTo }), {
        projection: { ...PLACE, _id: 1 },
        sort: { seq: 1 },
      })
      .toArray();
    return places.filter((place) => !isWrittenBy(place, reader)).map(({ _id }) => _id.toHexString());
  }

  /** The conversations in which messages were made in this time, each with the highest seq among them. */
  async conversationsWithMessagesMade(
    after: Date,
    until: Date,
  ): Promise<{ conversationId: string; seq: number }[]> {
    return this.collection
      .aggregate<{ conversationId: string; seq: number }>(
        [
          { $match: { _id: { $gt: firstIdOf(after), $lte: firstIdOf(until) }, seq: { $gt: 0 } } },
          { $group: { _id: '$conversationId', seq: { $max: '$seq' } } },
          { $project: { _id: 0, conversationId: '$_id', seq: 1 } },
        ],
        LONG_READ,
      )
      .toArray();
  }
}

export function isWrittenBy({ senderId, senderType }: Place, party: Party): boolean {
  return isSameParty({ id: senderId, type: senderType }, party);
}

/** Ids begin with the second in which they were made. */
function firstIdOf(date: Date): Types.ObjectId {
  return Types.ObjectId.createFromTime(Math.floor(date.getTime() / 1000));
}

/** Every query bounds `seq`: the index holds only messages that have one. */
function inConversation<M>(
  conversationId: string,
  seq: { $gt: number; $lt?: number; $lte?: number },
): mongo.Filter<M> {
  return { conversationId, seq } as object;
}

/**
 * The driver drops the key pattern from a bulk write's errors; the index's name in the server's text is what is left. Mongoose names
 * an index after its fields.
 */
function conflictOf(error: unknown): InsertOutcome | undefined {
  if (!(error instanceof mongo.MongoBulkWriteError)) return undefined;
  const [failure] = [error.writeErrors].flat();
  if (failure === undefined) return undefined;
  const { index: inserted, errmsg = '' } = failure;
  const index = isDuplicateKey(error) ? (/ index: (\S+) dup key/.exec(errmsg)?.[1] ?? '') : '';
  if (index.includes('clientMessageId_')) return { inserted, conflict: 'clientMessageId' };
  if (index.includes('seq_')) return { inserted, conflict: 'seq' };
  return { inserted, conflict: 'other', error };
}
