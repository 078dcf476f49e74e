import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { PushRetry } from './push-retry.schema.js';

/** Each method is one round trip. */
@Injectable()
export class PushRetryRepository implements OnModuleInit {
  constructor(@InjectModel(PushRetry.name) private readonly model: Model<PushRetry>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  async insert(retries: PushRetry[]): Promise<void> {
    await this.model.collection.insertMany(retries, { ordered: false });
  }

  /** Those that are due first, due or not yet. */
  async findSoonest(limit: number): Promise<PushRetry[]> {
    return this.model.find({}, null, { sort: { dueAt: 1 }, limit }).lean();
  }

  /** Moves it from the due time at which it was read to another. False when another node was faster, or it is gone. */
  async move({ _id, dueAt }: PushRetry, to: Date, attempts: number): Promise<boolean> {
    const { matchedCount } = await this.model.updateOne({ _id, dueAt }, { $set: { dueAt: to, attempts } });
    return matchedCount === 1;
  }

  async remove({ _id, dueAt }: PushRetry): Promise<void> {
    await this.model.deleteOne({ _id, dueAt });
  }

  /** Whether due or under way. */
  async removeMessage(party: string, messageId: string): Promise<void> {
    await this.model.deleteMany({ party, 'data.messageId': messageId });
  }

  /** From the collection's metadata: costs the same for any number, and may be off after a crash. */
  async count(): Promise<number> {
    return this.model.estimatedDocumentCount();
  }
}
