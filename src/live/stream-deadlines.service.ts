import { Injectable } from '@nestjs/common';
import { RecurringLook } from '../database/recurring-look.js';
import { PresenceService } from '../presence/presence.service.js';
import { dateOf, ownerOf, startOf, toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { LiveTimes } from './live-times.js';
import { MissedBansService } from './missed-bans.service.js';
import { StreamEndService } from './stream-end.service.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/** Streams that are attended to side by side; a look goes on until it has seen all. */
const BATCH = 1000;

/**
 * Ends the streams whose broadcaster has been gone for 60 s (contract §5): without a socket on any node, without a heartbeat, and without one
 * that a former backend wrote into the document. All of that is stored, so a restart loses nothing, and of several nodes that find the same
 * one ends it. A stream that another process made is found like any other; one that another process ended is noticed where it is watched.
 *
 * Round trips every 2 s: 2 for each 1,000 streams that are live (they, their broadcasters' presence), with one Redis command with several
 * nodes; 1 for ends that were not told; 1 while streams are watched here (`MissedBansService`); 1 when one ended unheard.
 */
@Injectable()
export class StreamDeadlinesService extends RecurringLook {
  /** Of the look that is under way. */
  private failure: unknown;
  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly presence: PresenceService,
    private readonly ending: StreamEndService,
    private readonly viewers: ViewerCountsService,
    private readonly missedBans: MissedBansService,
    private readonly times: LiveTimes,
  ) {
    super('Streams without a broadcaster are not ended for now', times.lookIntervalMs);
  }

  protected async look(): Promise<boolean> {
    this.failure = undefined;
    await this.attend([this.attendToStreams(), this.attendToUntold(), this.missedBans.look()]);
    if (this.failure !== undefined) throw this.failure;
    return false;
  }

  /** One that fails keeps no other from being attended to. Never rejects. */
  private async attend(tasks: Promise<unknown>[]): Promise<void> {
    for (const result of await Promise.allSettled(tasks))
      if (result.status === 'rejected') this.failure ??= result.reason;
  }

  private async attendToStreams(): Promise<void> {
    const found = new Set<string>();
    let last: LiveStream | undefined;
    do {
      const live = await this.streams.findLive(BATCH, last?._id);
      for (const { _id } of live) found.add(_id.toHexString());
      const deserted = await this.deserted(live);
      await this.attend(deserted.map((stream) => this.ending.endDeserted(stream)));
      last = live[BATCH - 1];
    } while (last !== undefined && !this.isClosing);
    const unheard = await this.endedUnheard(found);
    await this.attend(unheard.map((streamId) => this.ending.catchUp(streamId)));
  }

  private async attendToUntold(): Promise<void> {
    const untold = await this.streams.findUntold(new Date(), BATCH);
    await this.attend(untold.map((stream) => this.ending.repeat(stream)));
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
  private async endedUnheard(found: ReadonlySet<string>): Promise<string[]> {
    const missing = this.viewers.watchedHere().filter((streamId) => !found.has(streamId));
    if (missing.length === 0) return [];
    const stillLive = await this.streams.findLiveAmong(missing.map(toStreamId));
    return missing.filter((streamId) => !stillLive.has(streamId));
  }
}
