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

/**
 * Turns what the messages say of themselves (`status`, `readAt`) into one read and one delivered mark for each participant: the newest
 * message addressed to them that was read, and everything before it. Marks only go forward. Four reads and a write for a conversation.
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
      const read = await this.inOrder(conversationId, newestOf(addressed, ['read']));
      const delivered = await this.inOrder(conversationId, newestOf(addressed, ['read', 'delivered']));
      if (delivered !== undefined) operations.push(...moves(conversationId, party, read, delivered));
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

  /**
   * Former messages that follow after newer ones, which a server had stored before, say nothing of these: a mark stops before the first
   * that was sent later.
   */
  private async inOrder(conversationId: string, marked: Marked | undefined): Promise<Marked | undefined> {
    if (marked === undefined) return undefined;
    const { seq, senderId, senderType, timestamp } = marked;
    const sender = { conversationId, senderId, senderType };
    const later = await this.store.messages.findOne<Marked>(
      { ...sender, seq: { $gt: 0, $lt: seq }, timestamp: { $gt: timestamp } },
      { sort: { seq: 1 }, projection: FIELDS },
    );
    if (later === null) return marked;
    const before = await this.store.messages.findOne<Marked>(
      { ...sender, seq: { $gt: 0, $lt: later.seq } },
      { sort: { seq: -1 }, projection: FIELDS },
    );
    return before ?? undefined;
  }
}

function newestOf(messages: Marked[], statuses: string[]): Marked | undefined {
  return messages.filter(({ status }) => statuses.includes(status)).toSorted((a, b) => b.seq - a.seq)[0];
}

function moves(
  conversationId: string,
  party: Party,
  read: Marked | undefined,
  delivered: Marked,
): mongo.AnyBulkWriteOperation[] {
  const _id = markId(party, conversationId) as never;
  const nothing = { readSeq: 0, readOthers: 0, readAt: null, deliveredSeq: 0 };
  const mark = { conversationId, party: { id: party.id, type: party.type }, ...nothing };
  const { seq: deliveredSeq } = delivered;
  return [
    { updateOne: { filter: { _id }, update: { $setOnInsert: mark }, upsert: true } },
    ...(read === undefined
      ? []
      : [
          {
            updateOne: {
              filter: { _id, readSeq: { $lt: read.seq } },
              // The others' messages up to a message of the other one are as many as its senderSeq says.
              update: { $set: { readSeq: read.seq, readOthers: read.senderSeq, readAt: timeOfMark(read) } },
            },
          },
        ]),
    {
      updateOne: {
        filter: { _id, deliveredSeq: { $lt: deliveredSeq } },
        update: { $set: { deliveredSeq } },
      },
    },
  ];
}

/** When it was not noted, the message's own time: not later than it was. */
function timeOfMark({ readAt, timestamp }: Marked): Date {
  return toDate(readAt) ?? timestamp;
}
