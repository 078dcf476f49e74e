import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { Types } from 'mongoose';
import { OutageLog } from '../logging/outage-log.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { toStreamId } from './live-rules.js';
import { LiveTimes } from './live-times.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/** A count that takes long is not made again at once. */
const REST_FACTOR = 10;

/**
 * How many people like a stream (contract §5). The stored likes are the truth and the stream's total is a count of them, not a sum of
 * changes: a node that dies between a like and its total leaves nothing wrong behind but a number that the next count puts right. Each count
 * draws a ticket before it begins, and a count with an older ticket never replaces a newer one, whichever ends first: so the last one is right.
 *
 * Round trips: 3 for each count, at most once a second for each stream and node, whatever the number of likes; none of them is waited for by a like.
 * `LikeTellingsService` tells.
 */
@Injectable()
export class LikeCountsService implements BeforeApplicationShutdown {
  private readonly outage = new OutageLog(
    new Logger(LikeCountsService.name),
    'Likes cannot be counted for now',
  );
  /** Streams whose likes changed since their last count began. */
  private readonly changed = new Set<string>();
  /** Streams that are counted, or rest since. */
  private readonly busy = new Set<string>();
  private isClosing = false;

  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly viewers: LiveViewerRepository,
    private readonly times: LiveTimes,
    private readonly watched: ViewerCountsService,
    registry: NodeRegistry,
  ) {
    // Likes that it stored and did not count any more.
    registry.onNodeLost(async () => {
      for (const streamId of this.watched.watchedHere()) this.note(streamId);
    });
  }

  /** Somebody's like was stored, or taken back. Returns at once. */
  note(streamId: string): void {
    this.changed.add(streamId);
    if (!this.busy.has(streamId)) void this.countNow(streamId);
  }

  /** Counts now, for a total that must be right. Three round trips. */
  async count(streamId: Types.ObjectId): Promise<number> {
    const ticket = await this.streams.drawLikeTicket(streamId);
    const likes = await this.viewers.countLikes(streamId);
    if (ticket !== null) await this.streams.noteLikes(streamId, ticket, likes);
    return likes;
  }

  beforeApplicationShutdown(): void {
    this.isClosing = true;
  }

  /** Never rejects. */
  private async countNow(streamId: string): Promise<void> {
    this.busy.add(streamId);
    this.changed.delete(streamId);
    const begun = performance.now();
    try {
      await this.count(toStreamId(streamId));
      this.outage.worked();
    } catch (error) {
      this.changed.add(streamId);
      this.outage.failed(error);
    }
    const restMs = Math.max(this.times.countIntervalMs, REST_FACTOR * (performance.now() - begun));
    setTimeout(() => this.rested(streamId), restMs).unref();
  }

  private rested(streamId: string): void {
    this.busy.delete(streamId);
    if (this.changed.has(streamId) && !this.isClosing) void this.countNow(streamId);
  }
}
