import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Identity, partyKey, partyOf } from '../contract/identity.js';
import { OutageLog } from '../logging/outage-log.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom, type Room } from '../realtime/rooms.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { toStreamId } from './live-rules.js';
import { LiveTimes } from './live-times.js';
import { ViewerStore } from './viewer.store.js';
import { WelcomedSockets } from './welcomed-sockets.js';

/** Above this, comings and goings are not told one by one: 2,000 joins would cost 2,000² messages (contract §5). */
const MAX_TOLD_ONE_BY_ONE = 50;
const REMEMBERED_COUNTS = 10_000;

/** A stream that somebody watches on this node. */
interface Watched {
  streamId: string;
  /** `partyKey` of the broadcaster, who is not counted. */
  owner: string;
  /** Those who watched here at the last look, by `partyKey`. */
  here: Map<string, Identity>;
  /** Whose last connection broke, and until when they are counted, by `performance.now()`. */
  lingering: Map<string, { user: Identity; until: number }>;
  /** Who came since the last look, and was not counted by it. */
  arrived: Set<string>;
  welcomed: WelcomedSockets;
  /** Who watched on other nodes at the last look. */
  others: ReadonlySet<string>;
  /** Undefined until the first look. */
  count?: number;
  /** The highest count that was noted in the database. */
  peak: number;
  /** Whether somebody came or went since the last look. */
  isChanged: boolean;
}

/**
 * How many people watch a stream, on all nodes, each once (contract §5). Nothing is kept but what the sockets' rooms say: each node looks once
 * a second who is in its rooms, tells the others, and tells its own sockets when the number changed. So a count is told at most once a
 * second, the last one is right, and joining costs nothing here.
 *
 * Cost: for each stream that is watched on this node, once a second, a look through its sockets when somebody came or went; with several
 * nodes 1 or 2 Redis commands; 1 write when the peak rises; 1 read while nobody is here any more but some are counted still.
 */
@Injectable()
export class ViewerCountsService implements BeforeApplicationShutdown {
  private readonly outage = new OutageLog(
    new Logger(ViewerCountsService.name),
    'Viewers cannot be counted for now',
  );
  private readonly watched = new Map<string, Watched>();
  /** Counts of streams that nobody watches here, for as long as a count may be old. */
  private readonly elsewhere: LRUCache<string, Promise<number>>;
  private timer: NodeJS.Timeout | undefined;
  private isClosing = false;

  constructor(
    private readonly emitter: EmitterService,
    private readonly streams: LiveStreamRepository,
    private readonly store: ViewerStore,
    private readonly times: LiveTimes,
  ) {
    this.elsewhere = new LRUCache({ max: REMEMBERED_COUNTS, ttl: times.countIntervalMs });
    emitter.onLeave((room, socketId, user) => this.left(room, socketId, user));
  }

  /** Somebody is in the stream's room now, on this node. Returns whether they are the first of those who watch it here. */
  entered(streamId: string, owner: string): boolean {
    const watched = this.watched.get(streamId);
    if (watched === undefined) {
      this.watched.set(streamId, {
        streamId,
        owner,
        here: new Map(),
        lingering: new Map(),
        arrived: new Set(),
        welcomed: new WelcomedSockets(),
        others: new Set(),
        peak: 0,
        isChanged: true,
      });
    } else {
      watched.isChanged = true;
    }
    this.lookLater();
    return watched === undefined;
  }

  /** `partyKey` of the broadcaster of a stream that somebody watches on this node. A look into memory. */
  ownerOf(streamId: string): string | undefined {
    return this.watched.get(streamId)?.owner;
  }

  /** Somebody left and means it: they are not counted any more, unless another socket of theirs watches. */
  forget(streamId: string, user: Identity): void {
    const watched = this.watched.get(streamId);
    if (watched === undefined) return;
    watched.lingering.delete(partyKey(partyOf(user)));
    watched.arrived.delete(partyKey(partyOf(user)));
    watched.isChanged = true;
    this.lookLater();
  }

  /** For somebody who has come: how many watch, they and all who came since the last look among them. A look into memory. */
  countWith(streamId: string, user: Identity, socketId: string): number {
    const watched = this.watched.get(streamId);
    if (watched === undefined) return 0;
    const { owner, here, others, arrived } = watched;
    const key = partyKey(partyOf(user));
    if (key !== owner && !here.has(key) && !others.has(key)) arrived.add(key);
    const count = this.sizeHere(streamId);
    watched.welcomed.add(socketId, count);
    return count;
  }

  /** The room has come back to a socket, which is told at the next look how many watch by now. */
  cameBack(streamId: string, socketId: string): void {
    this.watched.get(streamId)?.welcomed.add(socketId);
  }

  /** Of any stream, also one that nobody watches here: then one Redis command a second with several nodes, whoever asks. Never rejects. */
  async sizeOf(streamId: string): Promise<number> {
    return this.watched.has(streamId) ? this.sizeHere(streamId) : this.countElsewhere(streamId);
  }

  /** Likewise, as far as this node knows, which is 0 when nobody watches here; whoever came since the last look among them. */
  sizeHere(streamId: string): number {
    const { count = 0, arrived } = this.watched.get(streamId) ?? { arrived: new Set() };
    return count + arrived.size;
  }

  /** Ids of the streams in whose rooms somebody is on this node, or was until now. */
  watchedHere(): string[] {
    return [...this.watched.keys()];
  }

  /** The stream has ended: there is nothing to count. */
  drop(streamId: string): void {
    if (this.watched.delete(streamId)) void this.store.exchange(streamId, new Set());
  }

  beforeApplicationShutdown(): void {
    this.isClosing = true;
    clearTimeout(this.timer);
  }

  private countElsewhere(streamId: string): Promise<number> {
    const known = this.elsewhere.get(streamId);
    if (known !== undefined) return known;
    const count = this.store.countOthers(streamId);
    this.elsewhere.set(streamId, count);
    return count;
  }

  private left(room: Room, socketId: string, user: Identity): void {
    const watched = this.watched.get(room.slice('live:'.length));
    if (watched === undefined || liveRoom(watched.streamId) !== room) return;
    const until = performance.now() + this.times.lingerMs;
    watched.lingering.set(partyKey(partyOf(user)), { user, until });
    watched.isChanged = true;
    this.lookLater();
    // A socket that goes leaves its rooms first and is gone in the same turn: one that is still there was put out, or left of its own accord.
    queueMicrotask(() => {
      if (this.emitter.isConnected(socketId)) this.forget(watched.streamId, user);
    });
  }

  private lookLater(): void {
    if (this.isClosing) return;
    this.timer ??= setTimeout(() => void this.look(), this.times.countIntervalMs).unref();
  }

  /** Never rejects. The next look begins a second after this one ended. */
  private async look(): Promise<void> {
    try {
      await Promise.all([...this.watched.values()].map((watched) => this.lookAt(watched)));
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
    }
    this.timer = undefined;
    if (this.watched.size > 0) this.lookLater();
  }

  private async lookAt(watched: Watched): Promise<void> {
    if (await this.hasEnded(watched)) {
      this.drop(watched.streamId);
      return;
    }
    const before = watched.here;
    if (watched.isChanged || watched.lingering.size > 0) watched.here = this.whoIsHere(watched);
    watched.isChanged = false;
    const { streamId, here } = watched;
    const welcomed = watched.welcomed.take();
    const others = await this.store.exchange(streamId, new Set(here.keys()));
    if (this.watched.get(streamId) !== watched) return;
    const elsewhere = [...others].filter((key) => !here.has(key));
    const count = here.size + elsewhere.length;
    watched.others = others;
    for (const key of watched.arrived) if (here.has(key) || others.has(key)) watched.arrived.delete(key);
    // Neither those of a crowd that comes nor those of one that goes.
    const most = Math.max(count, watched.count ?? 0);
    if (most <= MAX_TOLD_ONE_BY_ONE) this.tellOneByOne(streamId, before, here, others, count);
    await this.tellCount(watched, count, welcomed);
    if (here.size === 0 && !watched.isChanged && this.isRoomEmpty(streamId)) this.watched.delete(streamId);
  }

  private whoIsHere(watched: Watched): Map<string, Identity> {
    const now = performance.now();
    const here = new Map<string, Identity>();
    for (const [key, { user, until }] of watched.lingering) {
      if (until > now) here.set(key, user);
      else watched.lingering.delete(key);
    }
    for (const user of this.emitter.identitiesIn(liveRoom(watched.streamId))) {
      const key = partyKey(partyOf(user));
      watched.lingering.delete(key);
      here.set(key, user);
    }
    here.delete(watched.owner);
    return here;
  }

  /** An end empties the rooms of all nodes and says no more: whom it put out did not leave. */
  private async hasEnded({ streamId, isChanged, lingering }: Watched): Promise<boolean> {
    if ((!isChanged && lingering.size === 0) || !this.isRoomEmpty(streamId)) return false;
    return (await this.streams.findLiveAmong([toStreamId(streamId)])).size === 0;
  }

  private isRoomEmpty(streamId: string): boolean {
    return this.emitter.identitiesIn(liveRoom(streamId)).length === 0;
  }

  /** By the node that they came to or left, to all: but not when they are on another one, too. */
  private tellOneByOne(
    streamId: string,
    before: Map<string, Identity>,
    here: Map<string, Identity>,
    others: ReadonlySet<string>,
    viewerCount: number,
  ): void {
    const tell = (event: 'live:viewer_joined' | 'live:viewer_left', user: Identity): void =>
      this.emitter.toRooms([liveRoom(streamId)], event, {
        streamId,
        // All admins are one, whoever of them came first or went last.
        user: { id: partyOf(user).id, name: user.name, profileImage: user.avatar },
        viewerCount,
        timestamp: Date.now(),
      });
    for (const [key, user] of here)
      if (!before.has(key) && !others.has(key)) tell('live:viewer_joined', user);
    for (const [key, user] of before) if (!here.has(key) && !others.has(key)) tell('live:viewer_left', user);
  }

  private async tellCount(watched: Watched, count: number, welcomed: WelcomedSockets): Promise<void> {
    const { streamId } = watched;
    const payload = { streamId, count, timestamp: Date.now() };
    if (count !== watched.count) {
      watched.count = count;
      this.emitter.toLocalRoom(liveRoom(streamId), 'live:viewer_count', payload);
    } else {
      for (const socketId of welcomed.whoDoesNotKnow(count))
        if (this.emitter.isInRoom(socketId, liveRoom(streamId)))
          this.emitter.toSocket(socketId, 'live:viewer_count', payload);
    }
    if (count <= watched.peak) return;
    await this.streams.noteViewers(toStreamId(streamId), count);
    watched.peak = count;
  }
}
