import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, Types } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import { onConnectionLost } from '../database/connection-lost.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { Block, pairKey } from './block.schema.js';

/** Each method is one round trip; adding takes a second one when the same block is added twice at the same moment. */
@Injectable()
export class BlockRepository implements OnModuleInit {
  constructor(@InjectModel(Block.name) private readonly model: Model<Block>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** Calls `forget` whenever the database was out of sight: it may have come back with less than it had. */
  onConnectionLost(forget: () => void): void {
    onConnectionLost(this.model.db, forget);
  }

  /** Stores the block unless it is there. Returns it as it is stored. */
  async add(blocker: Party, blocked: Party): Promise<Block> {
    try {
      return await this.upsert(blocker, blocked);
    } catch (error) {
      // Two upserts of one pair at the same moment: the other one made it.
      if (!isDuplicateKey(error, 'pair')) throw error;
      return await this.upsert(blocker, blocked);
    }
  }

  async remove(blocker: Party, blocked: Party): Promise<void> {
    await this.model.deleteOne({ pair: pairKey(blocker, blocked) });
  }

  async exists(pair: string): Promise<boolean> {
    return (await this.model.findOne({ pair }, { _id: 1 }).lean()) !== null;
  }

  /** Those of the pairs that are blocked. */
  async existing(pairs: string[]): Promise<string[]> {
    const found = await this.model.find({ pair: { $in: pairs } }, { _id: 0, pair: 1 }).lean();
    return found.map(({ pair }) => pair);
  }

  /** Whom the person has blocked, newest first, at most `limit`; with `before`, those that follow that entry. */
  async listOf(blocker: Party, limit: number, before?: Types.ObjectId): Promise<Block[]> {
    return this.model
      .find({ blocker: partyKey(blocker), ...(before !== undefined && { _id: { $lt: before } }) })
      .sort({ _id: -1 })
      .limit(limit)
      .lean();
  }

  /** When a block was last asked for, by anyone, of those that stand; null when there is none. */
  async newestChange(): Promise<Date | null> {
    const newest = await this.model.findOne({}, { _id: 0, changedAt: 1 }).sort({ changedAt: -1 }).lean();
    return newest?.changedAt ?? null;
  }

  /** The blocks that were asked for after `since`, oldest first, at most `limit`. */
  async changedSince(since: Date, limit: number): Promise<Pick<Block, 'pair' | 'changedAt'>[]> {
    return this.model
      .find({ changedAt: { $gt: since } }, { _id: 0, pair: 1, changedAt: 1 })
      .sort({ changedAt: 1 })
      .limit(limit)
      .lean();
  }

  private async upsert(blocker: Party, blocked: Party): Promise<Block> {
    return this.model
      .findOneAndUpdate(
        { pair: pairKey(blocker, blocked) },
        {
          $setOnInsert: {
            blocker: partyKey(blocker),
            blockedId: blocked.id,
            blockedType: blocked.type,
            blockedAt: new Date(),
          },
          $currentDate: { changedAt: true },
        },
        { upsert: true, returnDocument: 'after' },
      )
      .lean();
  }
}
