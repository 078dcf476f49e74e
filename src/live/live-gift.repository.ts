import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, Types } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { LiveGift } from './live-gift.schema.js';

/** The collection `livegifts`. Each method is one round trip. */
@Injectable()
export class LiveGiftRepository implements OnModuleInit {
  constructor(@InjectModel(LiveGift.name) private readonly model: Model<LiveGift>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** False when the sender has a gift with this clientGiftId in the stream: the unique index says so. */
  async insert(gift: LiveGift): Promise<boolean> {
    try {
      await this.model.collection.insertOne(gift);
      return true;
    } catch (error) {
      if (isDuplicateKey(error, 'clientGiftId')) return false;
      throw error;
    }
  }

  async findRepeated({
    streamId,
    sender,
    clientGiftId,
  }: Pick<LiveGift, 'streamId' | 'sender' | 'clientGiftId'>): Promise<LiveGift | null> {
    return this.model.findOne({ streamId, sender, clientGiftId }).lean();
  }

  /** Gifts of which something is left to do. */
  async findDue(now: Date, limit: number): Promise<LiveGift[]> {
    return this.model.find({ due: { $lte: now } }, null, { limit, sort: { due: 1 } }).lean();
  }

  /** Takes over an unfinished gift, and returns it as it is then; undefined when another node was faster, or it is finished or gone. */
  async claim(gift: LiveGift, next: Date): Promise<LiveGift | undefined> {
    const { matchedCount } = await this.model.updateOne(
      { _id: gift._id, due: gift.due, finishedAt: { $exists: false } },
      { $set: { due: next } },
    );
    return matchedCount === 1 ? Object.assign({}, gift, { due: next }) : undefined;
  }

  /** @param forgetAt when the stream may forget that it has counted it */
  async finish(giftId: Types.ObjectId, at: Date, forgetAt: Date): Promise<void> {
    await this.model.updateOne({ _id: giftId }, { $set: { finishedAt: at, due: forgetAt } });
  }

  /** Nothing is left to do. */
  async settle(giftIds: Types.ObjectId[]): Promise<void> {
    await this.model.updateMany({ _id: { $in: giftIds } }, { $unset: { due: 1 } });
  }

  /** The ledger has refused it. False when it is another node's by now, or finished or gone. */
  async remove({ _id, due }: LiveGift): Promise<boolean> {
    const { deletedCount } = await this.model.deleteOne({ _id, due, finishedAt: { $exists: false } });
    return deletedCount === 1;
  }
}
