import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { PushPlatform } from '../contract/push.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { deviceIdOf, PushDevice } from './push-device.schema.js';

const NEWEST_FIRST = { registeredAt: -1, _id: -1 } as const;

/** Each method is one round trip, unless it says otherwise. */
@Injectable()
export class PushDeviceRepository implements OnModuleInit {
  constructor(@InjectModel(PushDevice.name) private readonly model: Model<PushDevice>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** Makes the token the party's, whosever it was. A second round trip when two make the same token known at the same moment. */
  async assign(token: string, party: string, platform: PushPlatform): Promise<void> {
    const assign = () =>
      this.model.updateOne(
        { _id: deviceIdOf(token) },
        { $set: { token, party, platform }, $currentDate: { registeredAt: true } },
        { upsert: true },
      );
    try {
      await assign();
    } catch (error) {
      if (!isDuplicateKey(error, '_id')) throw error;
      await assign();
    }
  }

  /** A party's devices, newest registration first, at most `limit`. */
  async findNewest(party: string, limit: number): Promise<PushDevice[]> {
    return this.model.find({ party }, null, { sort: NEWEST_FIRST, limit }).lean();
  }

  /** The devices of several parties, newest registration first. */
  async findAllNewest(parties: string[]): Promise<PushDevice[]> {
    const found = await this.model.find({ party: { $in: parties } }).lean();
    return found.toSorted((a, b) => b.registeredAt.getTime() - a.registeredAt.getTime());
  }

  /** A party's devices without its `limit` newest. */
  async findBeyond(party: string, limit: number): Promise<PushDevice[]> {
    return this.model.find({ party }, null, { sort: NEWEST_FIRST, skip: limit }).lean();
  }

  /** The device while it belongs to the party; else null. */
  async findOf(party: string, deviceId: string): Promise<PushDevice | null> {
    return this.model.findOne({ _id: deviceId, party }).lean();
  }

  /** Deletes the token if it is the party's. */
  async remove(token: string, party: string): Promise<void> {
    await this.model.deleteOne({ _id: deviceIdOf(token), party });
  }

  /** Deletes devices that have not been registered again since they were read. */
  async removeUnchanged(devices: PushDevice[]): Promise<void> {
    await this.model.deleteMany({
      $or: devices.map(({ _id, party, registeredAt }) => ({ _id, party, registeredAt })),
    });
  }
}
