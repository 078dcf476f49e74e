import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { OutageLog } from '../logging/outage-log.js';
import { PresenceService } from '../presence/presence.service.js';
import { dateOf, ownerOf, startOf, toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { LiveTimes } from './live-times.js';
import { StreamEndService } from './stream-end.service.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/** Streams that one look attends to. */
const BATCH = 1000;

/**
 * Ends the streams whose broadcaster has been gone for 60 s (contract §5): without a socket on any node, without a heartbeat, and without one
 * that a former backend wrote into the document. All of that is stored, so a restart loses nothing, and of several nodes that find the same
 * one ends it. A stream that another process made is found like any other; one that another process ended is noticed where it is watched.
 *
 * Round trips: 3 every 2 s (the streams that are live, their broadcasters' presence, ends that were not told), 1 when one ended unheard, and one Redis command with
 * several nodes.
 */
@Injectable()
export class StreamDeadlinesService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly outage = new OutageLog(
    new Logger(StreamDeadlinesService.name),
    'Streams without a broadcaster are not ended for now',
  );
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isClosing = false;

  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly presence: PresenceService,
    private readonly ending: StreamEndService,
    private readonly viewers: ViewerCountsService,
    private readonly times: LiveTimes,
  ) {}

  onApplicationBootstrap(): void {
    this.lookLater();
  }

  /** While sockets can still be told. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private lookLater(): void {
    if (this.isClosing) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().then(() => this.lookLater());
    }, this.times.lookIntervalMs).unref();
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    try {
      const [live, untold] = await Promise.all([
        this.streams.findLive(BATCH),
        this.streams.findUntold(new Date(), BATCH),
      ]);
      const [deserted, unheard] = await Promise.all([this.deserted(live), this.endedUnheard(live)]);
      const done = await Promise.allSettled([
        ...deserted.map((stream) => this.ending.endDeserted(stream)),
        ...untold.map((stream) => this.ending.repeat(stream)),
        ...unheard.map((streamId) => this.ending.catchUp(streamId)),
      ]);
      const failure = done.find(({ status }) => status === 'rejected');
      if (failure !== undefined) throw (failure as PromiseRejectedResult).reason;
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
    }
  }

  private async deserted(live: LiveStream[]): Promise<LiveStream[]> {
    if (live.length === 0) return [];
    const owners = await this.presence.get(live.map(ownerOf));
    const before = Date.now() - this.times.ownerReturnMs;
    return live.filter((stream, index) => {
      const owner = owners[index];
      if (owner === undefined || owner.isOnline) return false;
      const seen = owner.lastSeen === null ? 0 : Date.parse(owner.lastSeen);
      const beat = dateOf(stream.lastHeartbeat)?.getTime() ?? 0;
      return Math.max(seen, beat, startOf(stream).getTime()) <= before;
    });
  }

  /** Streams that are watched here though they have ended. Only those are asked for that the look did not find. */
  private async endedUnheard(live: LiveStream[]): Promise<string[]> {
    const found = new Set(live.map(({ _id }) => _id.toHexString()));
    const missing = this.viewers.watchedHere().filter((streamId) => !found.has(streamId));
    if (missing.length === 0) return [];
    const stillLive = await this.streams.findLiveAmong(missing.map(toStreamId));
    return missing.filter((streamId) => !stillLive.has(streamId));
  }
}
