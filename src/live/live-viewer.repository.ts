import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, mongo, Types } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { LiveViewer, viewerId } from './live-viewer.schema.js';

/** What moderators have said of somebody. */
type Said = Pick<LiveViewer, 'mutedAt' | 'bannedAt'>;

const IS_MUTED = { $ne: [{ $type: '$mutedAt' }, 'missing'] };
const IS_BANNED = { $ne: [{ $type: '$bannedAt' }, 'missing'] };

/** The collection `liveviewers`. Each method is one round trip; two when two make the same document at the same moment. */
@Injectable()
export class LiveViewerRepository implements OnModuleInit {
  constructor(@InjectModel(LiveViewer.name) private readonly model: Model<LiveViewer>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** By `viewerId`. */
  async findAll(ids: string[]): Promise<Map<string, LiveViewer>> {
    const viewers = await this.model.collection.find<LiveViewer>({ _id: { $in: ids } } as object).toArray();
    return new Map(viewers.map((viewer) => [viewer._id, viewer]));
  }

  /** Notes those who watch the stream for the first time; returns how many of them nobody had noted before. */
  async noteFirst(streamId: Types.ObjectId, people: Party[], at: Date): Promise<number> {
    const writes = people.map((person) => ({
      updateOne: {
        filter: { _id: viewerId(streamId, person), firstSeenAt: { $exists: false } },
        update: {
          $set: { firstSeenAt: at },
          $setOnInsert: { streamId: streamId.toHexString(), person: partyKey(person) },
        },
        upsert: true,
      },
    }));
    try {
      const { upsertedCount, modifiedCount } = await this.model.collection.bulkWrite(
        writes as object[] as mongo.AnyBulkWriteOperation[],
        { ordered: false },
      );
      return upsertedCount + modifiedCount;
    } catch (error) {
      // Whom another node noted at the same moment: the others are noted all the same.
      if (!isDuplicateKey(error)) throw error;
      const { result } = error as { result?: { upsertedCount: number; modifiedCount: number } };
      return (result?.upsertedCount ?? 0) + (result?.modifiedCount ?? 0);
    }
  }

  /** How many have ever watched the stream; by an index over those who have alone. */
  async countViews(streamId: Types.ObjectId): Promise<number> {
    return this.model.countDocuments({
      streamId: streamId.toHexString(),
      firstSeenAt: { $gte: new Date(0) },
    });
  }

  /** They like it, unless they are banned. Returns what they were before; null when nothing was known of them. */
  async like(streamId: Types.ObjectId, person: Party): Promise<LiveViewer | null> {
    return this.change(streamId, person, { likes: { $cond: [IS_BANNED, '$likes', true] } });
  }

  /** They like it no more; likewise. */
  async unlike(streamId: Types.ObjectId, person: Party): Promise<LiveViewer | null> {
    return this.change(streamId, person, { likes: { $cond: [IS_BANNED, '$likes', '$$REMOVE'] } });
  }

  /** By an index over those who like it alone. */
  async countLikes(streamId: Types.ObjectId): Promise<number> {
    return this.model.countDocuments({ streamId: streamId.toHexString(), likes: true });
  }

  /**
   * Notes a comment if the person may make one now: their `limit`-th newest is older than `windowMs`, and nobody muted or banned them. One
   * atomic operation by the database's clock, so that neither several devices, nor a new connection, nor a node whose clock is wrong get
   * around it.
   * @returns who they are if they may not; undefined when it was noted
   */
  async noteComment(
    streamId: Types.ObjectId,
    person: Party,
    commentId: Types.ObjectId,
    { windowMs, limit }: { windowMs: number; limit: number },
  ): Promise<LiveViewer | undefined> {
    const oldest = { $arrayElemAt: ['$commentedAt', limit - 1] };
    const isRefused = { $or: [IS_MUTED, IS_BANNED, { $gt: [oldest, { $subtract: ['$$NOW', windowMs] }] }] };
    const newest = { $slice: [{ $concatArrays: [['$$NOW'], { $ifNull: ['$commentedAt', []] }] }, limit] };
    const fields = {
      commentedAt: { $cond: [isRefused, '$commentedAt', newest] },
      newestCommentId: { $cond: [isRefused, '$newestCommentId', commentId] },
      commentAskedAt: '$$NOW',
    };
    const viewer = await this.change(streamId, person, fields, 'after');
    return viewer?.newestCommentId?.equals(commentId) === true ? undefined : (viewer ?? undefined);
  }

  /** The time of the first one stays. */
  async setMuted(streamId: Types.ObjectId, person: Party, at: Date): Promise<Said> {
    return this.say(streamId, person, { $min: { mutedAt: at } });
  }

  async setBanned(streamId: Types.ObjectId, person: Party, at: Date): Promise<Said> {
    return this.say(streamId, person, { $min: { bannedAt: at } });
  }

  /** Of these streams; by an index over bans alone. */
  async findBannedSince(
    streamIds: string[],
    since: Date,
  ): Promise<Pick<LiveViewer, '_id' | 'streamId' | 'person'>[]> {
    return this.model
      .find({ streamId: { $in: streamIds }, bannedAt: { $gte: since } }, { streamId: 1, person: 1 })
      .lean();
  }

  /** They may come, and comment, again. */
  async pardon(streamId: Types.ObjectId, person: Party): Promise<Said> {
    return this.say(streamId, person, { $unset: { bannedAt: 1, mutedAt: 1 } });
  }

  private async say(streamId: Types.ObjectId, person: Party, update: object): Promise<Said> {
    return madeOnce(async () => {
      const said = await this.model
        .findOneAndUpdate(
          { _id: viewerId(streamId, person) },
          { ...update, $setOnInsert: { streamId: streamId.toHexString(), person: partyKey(person) } },
          { upsert: true, returnDocument: 'after' },
        )
        .lean();
      return said ?? {};
    });
  }

  /** Sets fields to what the database makes of the document as it is; returns it as it was, or is then. */
  private async change(
    streamId: Types.ObjectId,
    person: Party,
    fields: Record<string, unknown>,
    returnDocument: 'before' | 'after' = 'before',
  ): Promise<LiveViewer | null> {
    const identity = { streamId: streamId.toHexString(), person: { $literal: partyKey(person) } };
    return madeOnce(() =>
      this.model
        .findOneAndUpdate({ _id: viewerId(streamId, person) }, [{ $set: { ...identity, ...fields } }], {
          upsert: true,
          returnDocument,
          updatePipeline: true,
        })
        .lean(),
    );
  }
}

/** An upsert that fails because another one made the document at the same moment finds it the second time. */
async function madeOnce<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert();
  } catch (error) {
    if (!isDuplicateKey(error, '_id')) throw error;
    return upsert();
  }
}
