import type { Model, QueryFilter, UpdateQuery } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { type Mark, markId } from './mark.schema.js';

/** Where a read mark is to go: the message's seq, and how many messages up to it others wrote. */
export interface ReadPosition {
  seq: number;
  others: number;
}

/** What a mark was before it moved; `null` when there was none. */
export interface Moved {
  before: Mark | null;
}

/**
 * Read and delivered marks of one kind of conversation. That a mark never goes back is the filter of
 * an upsert: when the stored mark is not behind, the filter misses it and the insert meets its `_id`.
 */
export class MarkRepository {
  constructor(private readonly model: Model<Mark>) {}

  /** Null when the mark was there already, or further on. */
  async advanceRead(party: Party, conversationId: string, to: ReadPosition, at: Date): Promise<Moved | null> {
    return this.advance(party, conversationId, 'readSeq', to.seq, {
      $set: { readSeq: to.seq, readAt: at },
      $max: { readOthers: to.others, deliveredSeq: to.seq },
      $setOnInsert: { conversationId, party },
    });
  }

  /** Null when the mark was there already, or further on. */
  async advanceDelivered(party: Party, conversationId: string, seq: number): Promise<Moved | null> {
    return this.advance(party, conversationId, 'deliveredSeq', seq, {
      $set: { deliveredSeq: seq },
      $setOnInsert: { conversationId, party, readSeq: 0, readOthers: 0 },
    });
  }

  /** The marks that exist, by `markId`. */
  async findAll(ids: string[]): Promise<Map<string, Mark>> {
    const marks = await this.model.find({ _id: { $in: ids } }).lean();
    return new Map(marks.map((mark) => [mark._id, mark]));
  }

  /**
   * A duplicate key may also mean that somebody else made the document at the same moment, with a mark that is still behind; the
   * second try meets the document, and so knows. One round trip more, in that case and when nothing moves.
   */
  private async advance(
    party: Party,
    conversationId: string,
    field: 'readSeq' | 'deliveredSeq',
    seq: number,
    update: UpdateQuery<Mark>,
  ): Promise<Moved | null> {
    const filter = { _id: markId(party, conversationId), [field]: { $not: { $gte: seq } } };
    for (let tries = 1; tries <= 2; tries += 1) {
      try {
        return { before: await this.upsert(filter, update) };
      } catch (error) {
        if (!isDuplicateKey(error, '_id')) throw error;
      }
    }
    return null;
  }

  private async upsert(filter: QueryFilter<Mark>, update: UpdateQuery<Mark>): Promise<Mark | null> {
    return this.model.findOneAndUpdate(filter, update, { upsert: true, returnDocument: 'before' }).lean();
  }
}
