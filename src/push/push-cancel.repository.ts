import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { PushCancel } from './push-cancel.schema.js';

/** Each method is one round trip. */
@Injectable()
export class PushCancelRepository implements OnModuleInit {
  constructor(@InjectModel(PushCancel.name) private readonly model: Model<PushCancel>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  async add(id: string): Promise<void> {
    try {
      await this.model.updateOne({ _id: id }, { $currentDate: { cancelledAt: true } }, { upsert: true });
    } catch (error) {
      // Cancelled twice at the same moment.
      if (!isDuplicateKey(error, '_id')) throw error;
    }
  }

  async has(id: string): Promise<boolean> {
    return (await this.model.exists({ _id: id })) !== null;
  }
}
