import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, type QueryFilter, Types } from 'mongoose';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { LiveStream } from './live-stream.schema.js';

/** What nobody reads but `countGift` may be hundreds of ids. */
const SHOWN = { giftsCounted: 0 } as const;
/** Another process may have stored a document under a text, which no event can name and no cursor go past. */
const OURS = { $type: 'objectId' } as const;

/** The collection `livestreams`, in which a former backend writes, too. Each method is one round trip. */
@Injectable()
export class LiveStreamRepository implements OnModuleInit {
  constructor(@InjectModel(LiveStream.name) private readonly model: Model<LiveStream>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** False when the astrologer has a live stream: the unique index says so. */
  async insert(stream: LiveStream): Promise<boolean> {
    try {
      await this.model.collection.insertOne(stream);
      return true;
    } catch (error) {
      if (isDuplicateKey(error, 'onAir')) return false;
      throw error;
    }
  }

  async find(streamId: Types.ObjectId): Promise<LiveStream | null> {
    return this.model.findOne({ _id: streamId }, SHOWN).lean();
  }

  async findMany(streamIds: Types.ObjectId[]): Promise<LiveStream[]> {
    return this.model.collection
      .find<LiveStream>({ _id: { $in: streamIds } }, { projection: SHOWN })
      .toArray();
  }

  /** Those of the streams that are live, by their ids. */
  async findLiveAmong(streamIds: Types.ObjectId[]): Promise<Set<string>> {
    const live = await this.model.find({ _id: { $in: streamIds }, isLive: true }, { _id: 1 }).lean();
    return new Set(live.map(({ _id }) => _id.toHexString()));
  }

  /** How many like each of the streams, as it was last counted, by the streams' ids. */
  async findLikes(streamIds: Types.ObjectId[]): Promise<Map<string, number>> {
    const streams = await this.model.find({ _id: { $in: streamIds } }, { likeCount: 1 }).lean();
    return new Map(
      streams.map(({ _id, likeCount }) => [_id.toHexString(), typeof likeCount === 'number' ? likeCount : 0]),
    );
  }

  /** The astrologer's streams that are live; another process may have made one beside ours. */
  async findLiveOf(astrologerId: string): Promise<LiveStream[]> {
    const ids: unknown[] = Types.ObjectId.isValid(astrologerId)
      ? [astrologerId, new Types.ObjectId(astrologerId)]
      : [astrologerId];
    return this.model.find({ isLive: true, astrologerId: { $in: ids } as object, _id: OURS }).lean();
  }

  /** Streams that are live, newest first; those before `before` if it is given. */
  async findLive(limit: number, before?: Types.ObjectId): Promise<LiveStream[]> {
    return this.model
      .find({ isLive: true, _id: { ...OURS, ...(before && { $lt: before }) } }, SHOWN, {
        sort: { _id: -1 },
        limit,
      })
      .lean();
  }

  /**
   * The compare-and-set of a stream's end. Null when it has ended already.
   * @param unheardSince the last heartbeat as it was read, when a later one is to keep the stream; then null, too
   */
  async end(
    streamId: Types.ObjectId,
    { at, toldBy, unheardSince }: { at: Date; toldBy: Date; unheardSince?: { lastHeartbeat: unknown } },
  ): Promise<LiveStream | null> {
    // Without Mongoose, which would not look for what another process wrote in place of a time.
    return (await this.model.collection.findOneAndUpdate(
      {
        _id: streamId,
        isLive: true,
        ...(unheardSince && { lastHeartbeat: { $eq: unheardSince.lastHeartbeat } }),
      },
      { $set: { isLive: false, endedAt: at, isEndNoted: true, endToldDue: toldBy }, $unset: { onAir: 1 } },
      { returnDocument: 'after' },
    )) as LiveStream | null;
  }

  /** Takes over the telling of an end that another process stored. Null when a node has, or the stream is live or gone. */
  async adoptEnd(streamId: Types.ObjectId, toldBy: Date): Promise<LiveStream | null> {
    return this.model
      .findOneAndUpdate(
        { _id: streamId, isLive: { $ne: true }, isEndNoted: { $exists: false } },
        { $set: { isEndNoted: true, endToldDue: toldBy }, $unset: { onAir: 1 } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** Ends that another node stored and did not tell. */
  async findUntold(now: Date, limit: number): Promise<LiveStream[]> {
    return this.model.find({ endToldDue: { $lte: now }, _id: OURS }, null, { limit }).lean();
  }

  /** Takes over the telling of an end; false when another node was faster. */
  async claimUntold({ _id, endToldDue }: LiveStream, next: Date): Promise<boolean> {
    const { matchedCount } = await this.model.updateOne({ _id, endToldDue }, { $set: { endToldDue: next } });
    return matchedCount === 1;
  }

  /** The end was told. Totals are never less than they were: another process may have counted some of them. */
  async noteEndTold(
    streamId: Types.ObjectId,
    totals: Pick<LiveStream, 'totalViews' | 'peakViewerCount'>,
  ): Promise<void> {
    await this.model.updateOne({ _id: streamId }, { $unset: { endToldDue: 1 }, $max: totals });
  }

  /** The broadcaster lives. False when the stream has ended. */
  async heartbeat(streamId: Types.ObjectId, at: Date): Promise<boolean> {
    const { matchedCount } = await this.model.updateOne(
      { _id: streamId, isLive: true },
      { $max: { lastHeartbeat: at } },
    );
    return matchedCount === 1;
  }

  async noteViewers(streamId: Types.ObjectId, count: number): Promise<void> {
    await this.compute(
      { _id: streamId },
      { peakViewerCount: { $max: [numberIn('peakViewerCount'), count] } },
    );
  }

  /** Of a stream that is live: those of one that has ended are counted. */
  async addViews(streamId: Types.ObjectId, count: number): Promise<void> {
    await this.compute(
      { _id: streamId, isLive: true },
      { totalViews: { $add: [numberIn('totalViews'), count] } },
    );
  }

  /** Draws the ticket of a count of likes that begins now; null when the stream does not exist. */
  async drawLikeTicket(streamId: Types.ObjectId): Promise<number | null> {
    const stream = await this.model
      .findOneAndUpdate({ _id: streamId }, { $inc: { likeTicket: 1 } }, { returnDocument: 'after' })
      .lean();
    return stream?.likeTicket ?? null;
  }

  /** Notes what the count with the ticket came to, unless a later one was noted. */
  async noteLikes(streamId: Types.ObjectId, ticket: number, likeCount: number): Promise<void> {
    await this.model.updateOne(
      { _id: streamId, likeTicketCounted: { $not: { $gte: ticket } } },
      { $set: { likeCount, likeTicketCounted: ticket } },
    );
  }

  /** Adds a gift to the totals, once however often it is called before `forgetGifts`; also after the stream's end. */
  async countGift(streamId: Types.ObjectId, giftId: Types.ObjectId, value: number): Promise<void> {
    await this.compute(
      { _id: streamId, giftsCounted: { $ne: giftId } },
      {
        giftCount: { $add: [numberIn('giftCount'), 1] },
        giftValue: { $add: [numberIn('giftValue'), value] },
        giftsCounted: { $concatArrays: [{ $ifNull: ['$giftsCounted', []] }, [giftId]] },
      },
    );
  }

  /** Nobody tries to count these gifts any more: they themselves say that they are in the totals. */
  async forgetGifts(streamId: Types.ObjectId, giftIds: Types.ObjectId[]): Promise<void> {
    await this.model.updateOne({ _id: streamId }, { $pullAll: { giftsCounted: giftIds } });
  }

  async pin(streamId: Types.ObjectId, commentId: Types.ObjectId | undefined): Promise<void> {
    await this.model.updateOne(
      { _id: streamId },
      commentId === undefined ? { $unset: { pinnedCommentId: 1 } } : { $set: { pinnedCommentId: commentId } },
    );
  }

  /** Nobody sees a comment above the others that was deleted. */
  async unpin(streamId: Types.ObjectId, commentId: Types.ObjectId): Promise<boolean> {
    const { modifiedCount } = await this.model.updateOne(
      { _id: streamId, pinnedCommentId: commentId },
      { $unset: { pinnedCommentId: 1 } },
    );
    return modifiedCount === 1;
  }

  /** Sets fields to what the database makes of the stream as it is. */
  private async compute(filter: QueryFilter<LiveStream>, fields: Record<string, object>): Promise<void> {
    await this.model.updateOne(filter, [{ $set: fields }], { updatePipeline: true });
  }
}

/** A total; another process may have stored null, or a text, where `$inc` would fail. */
function numberIn(field: keyof LiveStream): object {
  return { $cond: [{ $isNumber: `$${field}` }, `$${field}`, 0] };
}
