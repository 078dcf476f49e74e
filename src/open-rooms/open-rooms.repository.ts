import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { OpenRooms } from './open-rooms.schema.js';

/** Of an identity with more sockets than these, an arrival looks at those alone that went last. */
const MAX_SOCKETS = 200;

/** Each method is one round trip. */
@Injectable()
export class OpenRoomsRepository implements OnModuleInit {
  constructor(@InjectModel(OpenRooms.name) private readonly model: Model<OpenRooms>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** What is so of a socket, open or gone. */
  async save(entry: OpenRooms): Promise<void> {
    const { filter, update } = upsertOf(entry);
    await this.model.updateOne(filter, update, { upsert: true });
  }

  async saveMany(entries: OpenRooms[]): Promise<void> {
    const writes = entries.map((entry) => ({ updateOne: { ...upsertOf(entry), upsert: true } }));
    await this.model.bulkWrite(writes, { ordered: false });
  }

  /**
   * The other sockets of an identity: those that are open, or that nobody has noticed to be gone, and those that went.
   * @param since sockets that went before are forgotten
   */
  async findBeside(socketId: string, identity: string, since: Date): Promise<OpenRooms[]> {
    return this.model
      .find({ identity, goneAt: { $not: { $lte: since } }, _id: { $ne: socketId } })
      .sort({ goneAt: -1 })
      .limit(MAX_SOCKETS)
      .lean();
  }

  async markNodeGone(nodeId: string, aliveAt: Date): Promise<void> {
    await this.model.updateMany({ nodeId, goneAt: null }, { $set: { goneAt: aliveAt } });
  }
}

function upsertOf({ _id, identity, nodeId, arrivedAt, rooms, left, goneAt }: OpenRooms) {
  const $set = { identity, nodeId, arrivedAt, rooms, left };
  const update = goneAt === undefined ? { $set, $unset: { goneAt: 1 } } : { $set: { ...$set, goneAt } };
  return { filter: { _id }, update };
}
