import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { OutageLog } from '../logging/outage-log.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import { toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { LiveTimes } from './live-times.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/**
 * Tells viewers how many like a stream (contract §5). Each node looks once a second at what is stored of the streams that are watched on it, and
 * tells its own sockets what they do not know. So whichever node counted, or died, and whether Redis is there or not: nobody is told more than
 * once a second, and the last one is right.
 *
 * Cost: 1 read a second while a stream is watched on this node, whatever their number; one encoding for each stream whose count changed.
 */
@Injectable()
export class LikeTellingsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly outage = new OutageLog(
    new Logger(LikeTellingsService.name),
    'Likes cannot be told for now',
  );
  /** What all viewers here know of a stream; undefined when they may know different things, and absent when they know of none. */
  private readonly told = new Map<string, number | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private isClosing = false;

  constructor(
    private readonly emitter: EmitterService,
    private readonly streams: LiveStreamRepository,
    private readonly watched: ViewerCountsService,
    private readonly times: LiveTimes,
  ) {}

  onApplicationBootstrap(): void {
    this.lookLater();
  }

  beforeApplicationShutdown(): void {
    this.isClosing = true;
    clearTimeout(this.timer);
  }

  /** Tells a socket that joins. What it is told may be older than what the others were. */
  welcome(socketId: string, streamId: string, count: number): void {
    this.emitter.toSocket(socketId, 'live:like_count', { streamId, count, timestamp: Date.now() });
    const isCommon = !this.told.has(streamId) || this.told.get(streamId) === count;
    this.told.set(streamId, isCommon ? count : undefined);
  }

  /** Somebody is in the stream who was not told: all are, at the next look. */
  tellAgain(streamId: string): void {
    this.told.set(streamId, undefined);
  }

  private lookLater(): void {
    if (this.isClosing) return;
    this.timer = setTimeout(() => {
      void this.look().then(() => this.lookLater());
    }, this.times.countIntervalMs).unref();
  }

  /** Never rejects. The next look begins a second after this one ended. */
  private async look(): Promise<void> {
    const streamIds = this.watched.watchedHere();
    const isWatched = new Set(streamIds);
    for (const streamId of this.told.keys()) if (!isWatched.has(streamId)) this.told.delete(streamId);
    if (streamIds.length === 0) return;
    try {
      const stored = await this.streams.findLikes(streamIds.map(toStreamId));
      for (const [streamId, count] of stored) this.tell(streamId, count);
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
    }
  }

  private tell(streamId: string, count: number): void {
    const known = this.told.has(streamId) ? this.told.get(streamId) : 0;
    if (known === count) return;
    this.told.set(streamId, count);
    const payload = { streamId, count, timestamp: Date.now() };
    this.emitter.toLocalRoom(liveRoom(streamId), 'live:like_count', payload);
  }
}
