import { Injectable } from '@nestjs/common';
import { partyKey, partyOf, partyOfKey } from '../contract/identity.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom, personalRoom } from '../realtime/rooms.js';
import { kickedPayload } from './live.mapper.js';
import type { LiveViewer } from './live-viewer.schema.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/** Milliseconds. A broadcast is delivered within 5 s or not at all. */
const PATIENCE_MS = 6000;
/** Each look goes back by this beyond the one before: the patience, and some 10 s by which the nodes' clocks may differ. */
const OVERLAP_MS = 20_000;

/**
 * Puts out whom another node has banned when that was not heard of here, because Redis was away or the node died. A ban has time to arrive
 * first, so that nobody is told twice; until then its person may see and hear, as they may with the token they have, and not comment.
 *
 * Round trips: 1 for each look, by an index over bans alone; none while nobody watches here.
 */
@Injectable()
export class MissedBansService {
  private lookedAt = Date.now();
  /** By id, the bans that the last look found, and when one first did, by `performance.now()`. */
  private found: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly viewers: LiveViewerRepository,
    private readonly counts: ViewerCountsService,
    private readonly emitter: EmitterService,
  ) {}

  /**
   * To be called every 2 s; a ban that was not heard of takes effect within 10 s.
   * @throws UNAVAILABLE
   */
  async look(): Promise<void> {
    const now = Date.now();
    const watched = this.counts.watchedHere();
    const since = new Date(this.lookedAt - OVERLAP_MS);
    const bans = watched.length === 0 ? [] : await this.viewers.findBannedSince(watched, since);
    this.found = new Map(bans.map(({ _id }) => [_id, this.found.get(_id) ?? performance.now()]));
    this.lookedAt = now;
    for (const ban of bans) if (this.isOverdue(ban._id)) this.putOut(ban);
  }

  private isOverdue(id: string): boolean {
    return performance.now() - (this.found.get(id) ?? Infinity) > PATIENCE_MS;
  }

  private putOut({ streamId, person }: Pick<LiveViewer, 'streamId' | 'person'>): void {
    const room = liveRoom(streamId);
    if (!this.emitter.identitiesIn(room).some((user) => partyKey(partyOf(user)) === person)) return;
    const theirs = personalRoom(partyOfKey(person));
    this.emitter.toLocalRoom(theirs, 'live:kicked', kickedPayload(streamId));
    this.emitter.putOutHere(room, theirs);
  }
}
