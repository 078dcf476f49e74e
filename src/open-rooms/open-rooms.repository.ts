import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, mongo } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { Gathering } from '../gathering/gathering.js';
import { OpenRooms } from './open-rooms.schema.js';

/** Of an identity with more sockets than these, an arrival looks at those alone that went last. */
const MAX_SOCKETS = 200;
/** Sockets that come within this time, or while others are read, share a round trip. Milliseconds. */
const ARRIVAL_GATHERING_MS = 10;
/** Likewise those that change their rooms. A join of a stream gathers as long for what it shows, side by side with this. */
const SAVE_GATHERING_MS = 15;

/** Whose rooms are looked for. */
interface Arrival {
  socketId: string;
  identity: string;
  since: Date;
}

/** Each method is one round trip; those for one socket share it with other sockets. */
@Injectable()
export class OpenRoomsRepository implements OnModuleInit {
  private readonly arrivals = new Gathering<Arrival, OpenRooms[]>(
    ARRIVAL_GATHERING_MS,
    (arrivals) => this.findBesideAll(arrivals),
    true,
  );
  private readonly saves = new Gathering<OpenRooms, void>(
    SAVE_GATHERING_MS,
    async (entries) => {
      await this.saveMany(entries);
      return entries.map(() => undefined);
    },
    true,
  );

  constructor(@InjectModel(OpenRooms.name) private readonly model: Model<OpenRooms>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** What is so of a socket, open or gone. */
  async save(entry: OpenRooms): Promise<void> {
    await this.saves.run(entry);
  }

  async saveMany(entries: OpenRooms[]): Promise<void> {
    const writes = entries.map((entry) => ({ updateOne: { ...upsertOf(entry), upsert: true } }));
    await this.model.collection.bulkWrite(writes as object[] as mongo.AnyBulkWriteOperation[], {
      ordered: false,
    });
  }

  /**
   * The other sockets of an identity: those that are open, or that nobody has noticed to be gone, and those that went.
   * @param since sockets that went before are forgotten
   */
  async findBeside(socketId: string, identity: string, since: Date): Promise<OpenRooms[]> {
    return this.arrivals.run({ socketId, identity, since });
  }

  async markNodeGone(nodeId: string, aliveAt: Date): Promise<void> {
    await this.model.updateMany({ nodeId, goneAt: null }, { $set: { goneAt: aliveAt } });
  }

  private async findBesideAll(arrivals: Arrival[]): Promise<OpenRooms[][]> {
    const identities = [...new Set(arrivals.map(({ identity }) => identity))];
    const earliest = new Date(Math.min(...arrivals.map(({ since }) => since.getTime())));
    const limit = MAX_SOCKETS * identities.length;
    const found = await this.model.collection
      .find<OpenRooms>({ identity: { $in: identities }, goneAt: { $not: { $lte: earliest } } }, { limit })
      .toArray();
    // Somebody has so many that others may be missing.
    if (found.length === limit) return Promise.all(arrivals.map((arrival) => this.findBesideOne(arrival)));
    const byIdentity = new Map<string, OpenRooms[]>();
    for (const entry of found.toSorted(byDeparture))
      byIdentity.set(entry.identity, [...(byIdentity.get(entry.identity) ?? []), entry]);
    return arrivals.map(({ socketId, identity, since }) =>
      (byIdentity.get(identity) ?? [])
        .filter(({ _id, goneAt }) => _id !== socketId && (goneAt == null || goneAt > since))
        .slice(0, MAX_SOCKETS),
    );
  }

  private findBesideOne({ socketId, identity, since }: Arrival): Promise<OpenRooms[]> {
    return this.model
      .find({ identity, goneAt: { $not: { $lte: since } }, _id: { $ne: socketId } })
      .sort({ goneAt: -1 })
      .limit(MAX_SOCKETS)
      .lean();
  }
}

/** The last first, and those that are open after them, as the database sorts them. */
function byDeparture(a: OpenRooms, b: OpenRooms): number {
  return (b.goneAt?.getTime() ?? 0) - (a.goneAt?.getTime() ?? 0);
}

function upsertOf({ _id, identity, nodeId, arrivedAt, rooms, left, goneAt }: OpenRooms) {
  const $set = { identity, nodeId, arrivedAt, rooms, left };
  const update = goneAt === undefined ? { $set, $unset: { goneAt: 1 } } : { $set: { ...$set, goneAt } };
  return { filter: { _id }, update };
}
