import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { OpenRooms } from './open-rooms.schema.js';

/** Whose rooms. */
export interface RoomOwner {
  socketId: string;
  identity: string;
  nodeId: string;
}

/** Each method is one round trip, unless it says otherwise. */
@Injectable()
export class OpenRoomsRepository implements OnModuleInit {
  constructor(@InjectModel(OpenRooms.name) private readonly model: Model<OpenRooms>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** All rooms that a socket has open, which is open itself. */
  async save({ socketId, identity, nodeId }: RoomOwner, rooms: string[]): Promise<void> {
    await this.model.updateOne(
      { _id: socketId },
      { $set: { socketId, identity, nodeId, rooms }, $unset: { goneAt: 1, heardAt: 1 } },
      { upsert: true },
    );
  }

  /**
   * Makes rooms of gone sockets of the identity those of a new socket; each comes back once. One round trip when there are none, else two.
   * @param since sockets that went before are forgotten
   * @param heardUntil only sockets that were not heard any more after this
   */
  async claim({ socketId, identity, nodeId }: RoomOwner, since: Date, heardUntil?: Date): Promise<string[]> {
    const { modifiedCount } = await this.model.updateMany(
      { identity, goneAt: { $gt: since }, ...(heardUntil && { heardAt: { $lte: heardUntil } }) },
      { $set: { socketId, nodeId }, $unset: { goneAt: 1, heardAt: 1 } },
    );
    if (modifiedCount === 0) return [];
    const claimed = await this.model.find({ socketId }, { rooms: 1 }).lean();
    return [...new Set(claimed.flatMap(({ rooms }) => rooms))];
  }

  /** After `save` has what was claimed. */
  async dropClaimed(socketId: string): Promise<void> {
    await this.model.deleteMany({ socketId, _id: { $ne: socketId } });
  }

  async hasOpenBeside({ socketId, identity }: RoomOwner): Promise<boolean> {
    const query = { identity, goneAt: null, socketId: { $ne: socketId } };
    return (await this.model.exists(query)) !== null;
  }

  async markGone(socketId: string, goneAt: Date, heardAt: Date): Promise<void> {
    await this.model.updateMany({ socketId, goneAt: null }, { $set: { goneAt, heardAt } });
  }

  async markNodeGone(nodeId: string, aliveAt: Date): Promise<void> {
    await this.model.updateMany({ nodeId, goneAt: null }, { $set: { goneAt: aliveAt, heardAt: aliveAt } });
  }
}
