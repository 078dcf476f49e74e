import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { type Identity, partyKey } from '../contract/identity.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { StoredPresence } from './presence.schema.js';

/** The collection `presence`. */
@Injectable()
export class PresenceRepository implements OnModuleInit {
  constructor(@InjectModel(StoredPresence.name) private readonly model: Model<StoredPresence>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** Notes that somebody has a socket on the node. Returns what was stored of them before; null when nothing was. One round trip. */
  async addNode(
    person: Identity,
    nodeId: string,
    at: Date,
  ): Promise<Pick<StoredPresence, 'nodes' | 'lastSeen'> | null> {
    const { name, avatar } = person;
    const add = () =>
      this.model
        .findOneAndUpdate(
          { _id: partyKey(person) },
          { $addToSet: { nodes: nodeId }, $max: { lastSeen: at }, $set: { name, avatar } },
          { upsert: true, returnDocument: 'before', projection: { nodes: 1, lastSeen: 1 } },
        )
        .lean();
    return add().catch((error: unknown) => {
      // Two upserts of one id at the same moment: the other one made it.
      if (isDuplicateKey(error, '_id')) return add();
      throw error;
    });
  }

  /** Notes that somebody has no socket on the node any more. Returns what is stored of them then; null when it was noted already. */
  async removeNode(key: string, nodeId: string, at: Date): Promise<StoredPresence | null> {
    return this.model
      .findOneAndUpdate(
        { _id: key, nodes: nodeId },
        { $pull: { nodes: nodeId }, $max: { lastSeen: at } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** Makes the people of a lost node those of another, who sees to it that they are announced. Two round trips; may be repeated. */
  async adopt(lostNodeId: string, nodeId: string, aliveAt: Date): Promise<void> {
    // In this order: nobody is on no node in between, whoever dies there.
    await this.model.updateMany(
      { nodes: lostNodeId },
      { $addToSet: { nodes: nodeId }, $max: { lastSeen: aliveAt } },
    );
    await this.model.updateMany({ nodes: lostNodeId }, { $pull: { nodes: lostNodeId } });
  }

  /** Everybody who is noted to be on the node. */
  async findOnNode(nodeId: string): Promise<StoredPresence[]> {
    return this.model.find({ nodes: nodeId }).lean();
  }

  /** One round trip; who was never here is missing. */
  async findMany(keys: string[]): Promise<StoredPresence[]> {
    return this.model.find({ _id: { $in: keys } }).lean();
  }
}
