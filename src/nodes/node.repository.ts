import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { ServerNode } from './node.schema.js';

/** What a node says of itself. */
export type NodeSelf = Pick<ServerNode, '_id' | 'host' | 'processSpace' | 'pid' | 'startedAt'>;

/** Each method is one round trip. Times are compared on the database's clock alone: those of two machines may disagree. */
@Injectable()
export class NodeRepository {
  constructor(@InjectModel(ServerNode.name) private readonly model: Model<ServerNode>) {}

  /** Says that the node lives. Returns what was stored of it before; null when nothing was. */
  async renew({ _id, ...self }: NodeSelf): Promise<ServerNode | null> {
    return this.model
      .findOneAndUpdate(
        { _id },
        { $set: self, $currentDate: { aliveAt: true }, $unset: { isLost: 1, isDisturbed: 1 } },
        { upsert: true, returnDocument: 'before' },
      )
      .lean();
  }

  /** Nodes that have said nothing for longer than `silenceMs`, that left, or whose loss is not dealt with yet. */
  async findLost(silenceMs: number): Promise<ServerNode[]> {
    const isSilent = { $expr: { $lt: ['$aliveAt', { $subtract: ['$$NOW', silenceMs] }] } };
    return this.model.find({ $or: [{ isLost: true }, isSilent] }).lean();
  }

  /** Those whose process this one can see. */
  async findVisible({ host, processSpace }: NodeSelf): Promise<ServerNode[]> {
    return this.model.find({ host, processSpace }).lean();
  }

  /** False when the node has said in the meantime that it lives. */
  async markLost({ _id, aliveAt }: ServerNode): Promise<boolean> {
    const { matchedCount } = await this.model.updateOne({ _id, aliveAt }, { $set: { isLost: true } });
    return matchedCount === 1;
  }

  /** Deletes the node unless it has said in the meantime that it lives; true when it did. */
  async removeLost({ _id, aliveAt }: ServerNode): Promise<boolean> {
    const { deletedCount } = await this.model.deleteOne({ _id, aliveAt, isLost: true });
    return deletedCount === 1;
  }

  /** Tells the node, if it has said in the meantime that it lives, that it was taken for lost until now. */
  async tellDisturbed({ _id, aliveAt }: ServerNode): Promise<void> {
    await this.model.updateOne({ _id, aliveAt: { $ne: aliveAt } }, { $set: { isDisturbed: true } });
  }

  /** The node says that it goes, and that it lived until now. */
  async markLeft(nodeId: string): Promise<void> {
    await this.model.updateOne({ _id: nodeId }, { $set: { isLost: true }, $currentDate: { aliveAt: true } });
  }
}
