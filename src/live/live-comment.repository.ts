import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, Types } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { Gathering } from '../gathering/gathering.js';
import { LiveComment } from './live-comment.schema.js';

/** Comments share an insert when they come in the same turn of the event loop, or while another insert is under way. */
const GATHERING_MS = 0;

/** The collection `livecomments`. Each method is one round trip. */
@Injectable()
export class LiveCommentRepository implements OnModuleInit {
  private readonly inserts = new Gathering<LiveComment, void>(
    GATHERING_MS,
    (comments) => this.insertAll(comments),
    true,
  );

  constructor(@InjectModel(LiveComment.name) private readonly model: Model<LiveComment>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /**
   * Shared: while a broadcast to thousands keeps the server busy others come; stored together, they are also shown together, and each viewer is
   * sent all of them with one system call. Resolves in the order in which it was called.
   */
  async insert(comment: LiveComment): Promise<void> {
    await this.inserts.run(comment);
  }

  /** A comment whose id was decided before: the second time nothing happens. */
  async insertOnce(comment: LiveComment): Promise<void> {
    try {
      await this.model.collection.insertOne(comment);
    } catch (error) {
      if (!isDuplicateKey(error, '_id')) throw error;
    }
  }

  /**
   * Newest first, those before `before` if it is given; deleted ones are left out, and what another process stored under an id that is none
   * of ours.
   */
  async findNewest(streamId: Types.ObjectId, limit: number, before?: Types.ObjectId): Promise<LiveComment[]> {
    return this.model.collection
      .find<LiveComment>(
        {
          streamId: streamId.toHexString(),
          _id: { $type: 'objectId', ...(before && { $lt: before }) },
          deletedAt: { $exists: false },
        },
        { sort: { _id: -1 }, limit },
      )
      .toArray();
  }

  async find(streamId: Types.ObjectId, commentId: Types.ObjectId): Promise<LiveComment | null> {
    return this.model
      .findOne({ _id: commentId, streamId: streamId.toHexString(), deletedAt: { $exists: false } })
      .lean();
  }

  /** The text goes, and nobody sees it any more. False when there is no such comment. */
  async delete(streamId: Types.ObjectId, commentId: Types.ObjectId, at: Date): Promise<boolean> {
    const { modifiedCount } = await this.model.updateOne(
      { _id: commentId, streamId: streamId.toHexString(), deletedAt: { $exists: false } },
      { $set: { deletedAt: at, message: '' } },
    );
    return modifiedCount === 1;
  }

  private async insertAll(comments: LiveComment[]): Promise<void[]> {
    await this.model.collection.insertMany(comments, { ordered: false });
    return comments.map(() => undefined);
  }
}
