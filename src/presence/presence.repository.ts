import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, mongo } from 'mongoose';
import { type Identity, partyKey } from '../contract/identity.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { Gathering } from '../gathering/gathering.js';
import { StoredPresence } from './presence.schema.js';

/** Those who come within this time, or while others are noted, are noted together: nobody waits for it. Milliseconds. */
const GATHERING_MS = 50;

/** What was stored of somebody before they came; null: nothing. */
type Before = Pick<StoredPresence, 'nodes' | 'lastSeen'> | null;

/** Somebody has a socket on a node. */
interface Addition {
  person: Identity;
  nodeId: string;
  at: Date;
}

/** The collection `presence`. */
@Injectable()
export class PresenceRepository implements OnModuleInit {
  private readonly additions = new Gathering<Addition, Before>(
    GATHERING_MS,
    (additions) => this.addAll(additions),
    true,
  );

  constructor(@InjectModel(StoredPresence.name) private readonly model: Model<StoredPresence>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /**
   * Notes that somebody has a socket on the node; not twice at a time for one person. Returns what was stored of them before; null when
   * nothing was. One round trip for who comes alone, two for all who come together.
   */
  addNode(person: Identity, nodeId: string, at: Date): Promise<Before> {
    return this.additions.run({ person, nodeId, at });
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
    return this.model.collection.find<StoredPresence>({ _id: { $in: keys } } as object).toArray();
  }

  private async addAll(additions: Addition[]): Promise<Before[]> {
    const [first, ...others] = additions;
    if (first !== undefined && others.length === 0) return [await this.addOne(first)];
    const found = await this.findMany(additions.map(({ person }) => partyKey(person)));
    const known = new Map(found.map((entry) => [entry._id, entry]));
    const read = additions.map(({ person }) => known.get(partyKey(person)) ?? null);
    if (await this.writeAll(additions.map((addition, index) => writeOf(addition, read[index] ?? null))))
      return read;
    return Promise.all(additions.map((addition, index) => this.addUnlessDone(addition, read[index] ?? null)));
  }

  /** Whether all of them found what had been read. */
  private async writeAll(writes: object[]): Promise<boolean> {
    try {
      const { insertedCount, matchedCount } = await this.model.collection.bulkWrite(
        writes as mongo.AnyBulkWriteOperation[],
        { ordered: false },
      );
      return insertedCount + matchedCount === writes.length;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return false;
    }
  }

  /** Another node was faster with some of them. That this node stands there now, and did not when it was read, says that its write was made. */
  private async addUnlessDone(addition: Addition, read: Before): Promise<Before> {
    const before = await this.addOne(addition);
    const isDone =
      before?.nodes.includes(addition.nodeId) === true && read?.nodes.includes(addition.nodeId) !== true;
    return isDone ? read : before;
  }

  private async addOne({ person, nodeId, at }: Addition): Promise<Before> {
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
}

/** Made only if what is stored is still what was read: of all nodes one finds the list empty. */
function writeOf({ person, nodeId, at }: Addition, read: Before) {
  const { name, avatar } = person;
  const _id = partyKey(person);
  if (read === null) return { insertOne: { document: { _id, nodes: [nodeId], lastSeen: at, name, avatar } } };
  const { nodes, lastSeen } = read;
  return {
    updateOne: {
      filter: { _id, nodes, lastSeen },
      update: { $addToSet: { nodes: nodeId }, $max: { lastSeen: at }, $set: { name, avatar } },
    },
  };
}
