import type { mongo } from 'mongoose';
import { isSameParty, type Party } from '../contract/identity.js';
import { markId } from '../messaging/mark.schema.js';
import type { LegacyStore } from './legacy-store.js';
import { toDate } from './legacy-values.js';

/** A message as far as marks depend on it. */
interface Marked {
  seq: number;
  senderSeq: number;
  senderId: string;
  senderType: string;
  timestamp: Date;
  status: string;
  readAt?: unknown;
}

const FIELDS = {
  seq: 1,
  senderSeq: 1,
  senderId: 1,
  senderType: 1,
  timestamp: 1,
  status: 1,
  readAt: 1,
} as const;

/** Where a read mark is to stand, and how many messages of the other one count as read. */
interface ReadPlace {
  seq: number;
  others: number;
  at: Date;
}

/**
 * Turns what the messages say of themselves (`status`, `readAt`) into one read and one delivered mark for each participant: the newest
 * message addressed to them that was read, and everything before it. Marks only go forward. Some five reads and a write for a conversation.
 *
 * Where a server had stored messages before the former ones, a mark cannot pass those of them that are unread or not delivered. Then the
 * read mark stays before the first of these, and the former messages that were read are counted as read all the same (`readOthers`).
 */
export class Marks {
  constructor(private readonly store: LegacyStore) {}

  async derive(conversationId: string, pair: Party[]): Promise<void> {
    const newest = await this.newestByStatus(conversationId);
    const operations: mongo.AnyBulkWriteOperation[] = [];
    for (const party of pair) {
      const addressed = newest.filter(
        ({ senderId, senderType }) =>
          !isSameParty({ id: senderId, type: senderType as Party['type'] }, party),
      );
      if (addressed.length === 0) continue;
      const known = await this.store.mark(party, conversationId);
      const read = await this.readPlace(newestOf(addressed, ['read']), known?.readSeq ?? 0, conversationId);
      const delivered = newestOf(addressed, ['read', 'delivered']);
      const deliveredSeq = await this.deliveredSeq(delivered, known?.deliveredSeq ?? 0, conversationId);
      operations.push(...moves(conversationId, party, read, deliveredSeq));
    }
    if (operations.length > 0) await this.store.marks.bulkWrite(operations, { ordered: true });
  }

  /** Of each sender and each status the newest message. */
  private async newestByStatus(conversationId: string): Promise<Marked[]> {
    const groups = await this.store.messages
      .aggregate<{ seq: number }>([
        { $match: { conversationId, seq: { $gt: 0 }, status: { $in: ['read', 'delivered'] } } },
        {
          $group: { _id: { id: '$senderId', type: '$senderType', status: '$status' }, seq: { $max: '$seq' } },
        },
      ])
      .toArray();
    if (groups.length === 0) return [];
    return this.store.messages
      .find<Marked>({ conversationId, seq: { $in: groups.map(({ seq }) => seq) } }, { projection: FIELDS })
      .toArray();
  }

  /** @param readSeq where the mark stands now: what is before it was read, whenever it was sent */
  private async readPlace(
    marked: Marked | undefined,
    readSeq: number,
    conversationId: string,
  ): Promise<ReadPlace | undefined> {
    if (marked === undefined || marked.seq <= readSeq) return undefined;
    const { seq, senderSeq: others } = marked;
    const unread = newerInFront(marked, readSeq, conversationId);
    const first = await this.first(unread);
    if (first === null) return { seq, others, at: timeOfMark(marked) };
    const before = await this.placeBefore(first, conversationId);
    const count = await this.store.messages.countDocuments(unread);
    return { seq: Math.max(before, readSeq), others: others - count, at: timeOfMark(marked) };
  }

  private async deliveredSeq(
    marked: Marked | undefined,
    deliveredSeq: number,
    conversationId: string,
  ): Promise<number> {
    if (marked === undefined || marked.seq <= deliveredSeq) return deliveredSeq;
    const undelivered = { ...newerInFront(marked, deliveredSeq, conversationId), status: 'sent' };
    const first = await this.first(undelivered);
    return first === null
      ? marked.seq
      : Math.max(await this.placeBefore(first, conversationId), deliveredSeq);
  }

  private first(filter: mongo.Filter<mongo.Document>): Promise<Marked | null> {
    return this.store.messages.findOne<Marked>(filter, { sort: { seq: 1 }, projection: FIELDS });
  }

  /** Of the same sender's message before it; 0 when there is none. */
  private async placeBefore({ seq, senderId, senderType }: Marked, conversationId: string): Promise<number> {
    const before = await this.store.messages.findOne<Marked>(
      { conversationId, senderId, senderType, seq: { $gt: 0, $lt: seq } },
      { sort: { seq: -1 }, projection: FIELDS },
    );
    return before?.seq ?? 0;
  }
}

/** Messages of the same sender that stand between a mark and a message, and were sent after it: a server had stored them before. */
function newerInFront(
  { seq, senderId, senderType, timestamp }: Marked,
  markSeq: number,
  conversationId: string,
): mongo.Filter<mongo.Document> {
  return {
    conversationId,
    senderId,
    senderType,
    seq: { $gt: markSeq, $lt: seq },
    timestamp: { $gt: timestamp },
  };
}

function newestOf(messages: Marked[], statuses: string[]): Marked | undefined {
  return messages.filter(({ status }) => statuses.includes(status)).toSorted((a, b) => b.seq - a.seq)[0];
}

/** Should a reader move the mark at this very moment, it stays where the reader put it. */
function moves(
  conversationId: string,
  party: Party,
  read: ReadPlace | undefined,
  deliveredSeq: number,
): mongo.AnyBulkWriteOperation[] {
  const _id = markId(party, conversationId) as never;
  const nothing = { readSeq: 0, readOthers: 0, readAt: null, deliveredSeq: 0 };
  const mark = { conversationId, party: { id: party.id, type: party.type }, ...nothing };
  const operations: mongo.AnyBulkWriteOperation[] = [
    { updateOne: { filter: { _id }, update: { $setOnInsert: mark }, upsert: true } },
    { updateOne: { filter: { _id }, update: { $max: { deliveredSeq } } } },
  ];
  if (read === undefined) return operations;
  const { seq, others, at } = read;
  const filter = { _id, readSeq: { $lte: seq }, readOthers: { $lt: others } };
  const update = { $set: { readSeq: seq, readOthers: others, readAt: at }, $max: { deliveredSeq: seq } };
  return [...operations, { updateOne: { filter, update } }];
}

/** When it was not noted, the message's own time: not later than it was. */
function timeOfMark({ readAt, timestamp }: Marked): Date {
  return toDate(readAt) ?? timestamp;
}
