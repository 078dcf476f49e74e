import { Injectable, Logger } from '@nestjs/common';
import type { Types } from 'mongoose';
import type { LiveEndPayload, LiveSummaryPayload } from '../contract/live.js';
import { isDatabaseAway } from '../database/database-errors.js';
import { OutageLog } from '../logging/outage-log.js';
import { stackOf } from '../logging/stack-of.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import { LikeCountsService } from './like-counts.service.js';
import { ownerOf, textOf, toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { toSummary } from './live.mapper.js';
import { LiveTimes } from './live-times.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/**
 * The one way in which streams end, whoever or whatever ends them (contract §5). The end is one compare-and-set; what is to be told stands
 * in the document until it was told, so that a node that dies before leaves it to another.
 *
 * Round trips: 1 for the end, 3 for the last count of the likes and beside them 1 for that of the views, 1 to note that it was told. Emits:
 * one to the room, one to everybody.
 */
@Injectable()
export class StreamEndService {
  private readonly logger = new Logger(StreamEndService.name);
  private readonly outage = new OutageLog(this.logger, 'What follows the end of streams is done later');

  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly people: LiveViewerRepository,
    private readonly emitter: EmitterService,
    private readonly likes: LikeCountsService,
    private readonly viewers: ViewerCountsService,
    private readonly times: LiveTimes,
  ) {}

  /** Null when it has ended already. @throws UNAVAILABLE */
  end({ _id }: LiveStream): Promise<LiveSummaryPayload | null> {
    return this.endOnce(_id);
  }

  /** Its broadcaster is away: but a heartbeat that came since the stream was read keeps it. @throws UNAVAILABLE */
  async endDeserted({ _id, lastHeartbeat }: LiveStream): Promise<void> {
    await this.endOnce(_id, { lastHeartbeat: lastHeartbeat ?? null });
  }

  /**
   * For a stream that is watched on this node and is not live any more. An end that another process stored is told like any other, by one node
   * of all. One that was told, or whose document is gone, is told to those here who did not hear it: Redis was away, or they came at that
   * moment.
   * @throws UNAVAILABLE
   */
  async catchUp(streamId: string): Promise<void> {
    const toldBy = new Date(Date.now() + this.times.endToldMs);
    const adopted = await this.streams.adoptEnd(toStreamId(streamId), toldBy);
    if (adopted !== null) {
      await this.finish(adopted);
      return;
    }
    const room = liveRoom(streamId);
    this.emitter.toLocalRoom(room, 'live:end', endPayload(streamId));
    this.emitter.putOutHere(room, room);
    this.viewers.drop(streamId);
  }

  /** An end that a node stored and did not finish. */
  async repeat(ended: LiveStream): Promise<void> {
    const next = new Date(Date.now() + this.times.endToldMs);
    if (!(await this.streams.claimUntold(ended, next))) return;
    this.tell(ended);
    await this.conclude(ended, 0);
  }

  private async endOnce(
    streamId: Types.ObjectId,
    unheardSince?: { lastHeartbeat: unknown },
  ): Promise<LiveSummaryPayload | null> {
    const at = new Date();
    const toldBy = new Date(at.getTime() + this.times.endToldMs);
    const ended = await this.streams.end(streamId, { at, toldBy, unheardSince });
    return ended === null ? null : this.finish(ended);
  }

  private async finish(ended: LiveStream): Promise<LiveSummaryPayload> {
    const summary = toSummary(ended);
    // Whoever came since the last look would be missing.
    const viewers = this.viewers.sizeHere(summary.streamId);
    summary.peakViewerCount = Math.max(summary.peakViewerCount, viewers);
    this.tell(ended);
    try {
      Object.assign(summary, await this.conclude(ended, viewers));
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
    }
    return summary;
  }

  /** Counts for the last time what must be right; then nobody tells the end any more. */
  private async conclude(
    ended: LiveStream,
    viewers: number,
  ): Promise<Pick<LiveSummaryPayload, 'likeCount' | 'totalViews'>> {
    const [likeCount, seenHere] = await Promise.all([
      this.countLikes(ended),
      this.people.countViews(ended._id),
    ]);
    const totalViews = Math.max(seenHere, toSummary(ended).totalViews);
    await this.streams.noteEndTold(ended._id, { totalViews, peakViewerCount: viewers });
    return { likeCount, totalViews };
  }

  /** A document in which another process left what nothing can be added to is not told of again and again for that. */
  private async countLikes(ended: LiveStream): Promise<number> {
    try {
      return await this.likes.count(ended._id);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      this.logger.error('The likes of a stream that has ended cannot be counted', stackOf(error));
      return toSummary(ended).likeCount;
    }
  }

  private tell(stream: LiveStream): void {
    const streamId = stream._id.toHexString();
    const room = liveRoom(streamId);
    const end = endPayload(streamId);
    this.emitter.toRooms([room], 'live:end', end);
    this.emitter.toEverybody('live:stream_ended', {
      streamId,
      astrologerId: ownerOf(stream).id,
      astrologerName: textOf(stream.astrologerName),
      timestamp: end.timestamp,
    });
    this.emitter.putOut(room, room);
    this.viewers.drop(streamId);
  }
}

function endPayload(streamId: string): LiveEndPayload {
  return { streamId, message: 'The stream has ended.', timestamp: Date.now() };
}
