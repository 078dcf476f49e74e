import { Injectable, Logger } from '@nestjs/common';
import { type AgoraToken, AgoraTokenService } from '../agora/agora-token.service.js';
import type { LivePlacePayload, LiveSnapshotPayload, LiveTokenPayload } from '../contract/live.js';
import { type Identity, partyKey, partyOf } from '../contract/identity.js';
import { isDatabaseAway } from '../database/database-errors.js';
import { OutageLog } from '../logging/outage-log.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { RoomMemory } from '../open-rooms/room-memory.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import { FirstViewsService } from './first-views.service.js';
import type { JoinStreamDto } from './live.dto.js';
import { type Admitted, admitted, LiveLookService, type Stage } from './live-look.service.js';
import { toCommentPayload, toStreamPayload, toTokenPayload } from './live.mapper.js';
import { LikeCountsService } from './like-counts.service.js';
import { LikeTellingsService } from './like-tellings.service.js';
import { LIVE_ROOM } from './live-room.js';
import { channelOf, joinFirst, ownerOf, roleIn, toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { StreamAccessService } from './stream-access.service.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/**
 * Watching a stream (contract §5).
 *
 * Database round trips of a join, shared with all who join within 15 ms: 2 reads before the room, 3 or 4 after it; and a write of one's own,
 * for the room to come back. Emits: one to the joiner.
 */
@Injectable()
export class WatchingService {
  private readonly outage = new OutageLog(new Logger(WatchingService.name), 'A heartbeat was not noted');
  /** By socket: a leave must not pass the join before it. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly access: StreamAccessService,
    private readonly looks: LiveLookService,
    private readonly streams: LiveStreamRepository,
    private readonly firstViews: FirstViewsService,
    private readonly counts: ViewerCountsService,
    private readonly likes: LikeCountsService,
    private readonly likeTellings: LikeTellingsService,
    private readonly emitter: EmitterService,
    private readonly roomMemory: RoomMemory,
    private readonly agora: AgoraTokenService,
  ) {
    roomMemory.register(LIVE_ROOM, {
      roomOf: liveRoom,
      canReturn: async (user, id) => (await this.admissionOf(user, id)) !== undefined,
      mayStay: (user, id, socketId) => this.returned(user, id, socketId),
    });
  }

  /**
   * The socket is in the stream's room, and gets what it shows. The owner gets a publisher's token when it says that it broadcasts.
   * @throws AppError NOT_FOUND; CONFLICT when it has ended; FORBIDDEN for who was banned; AGORA_NOT_CONFIGURED; UNAVAILABLE
   */
  async join(user: Identity, socketId: string, dto: JoinStreamDto): Promise<LiveSnapshotPayload> {
    const id = toStreamId(dto.streamId);
    const streamId = id.toHexString();
    const room = liveRoom(streamId);
    return this.inArrivalOrder.run(socketId, async () => {
      const { stream } = admitted(await this.looks.at(id, partyOf(user)));
      const isRepeated = this.emitter.isInRoom(socketId, room);
      await this.emitter.joinRoom(socketId, room);
      try {
        // Once more: who was put out, or the stream that ended, between the look and the room was not seen by whoever emptied it.
        const [look, stage] = await Promise.all([
          this.looks.at(id, partyOf(user)).then(admitted),
          this.looks.stageOf(stream),
          this.roomMemory.enter(socketId, LIVE_ROOM, streamId),
        ]);
        // And who was put out since then is not in the room any more. From here to the answer nothing is waited for.
        if (!this.emitter.isInRoom(socketId, room)) await this.access.assertInside(user, socketId, streamId);
        const isBroadcaster = dto.isBroadcaster === true && roleIn(look.stream, user) === 'owner';
        const token = toTokenPayload(look.stream, this.tokenFor(look.stream, isBroadcaster), isBroadcaster);
        this.entered(user, look.stream, isBroadcaster);
        return this.welcome(user, socketId, look, stage, token);
      } catch (error) {
        // Whoever watched before only gets no new snapshot while the database is away.
        if (isRepeated && isDatabaseAway(error)) throw error;
        await this.emitter.leaveRoom(socketId, room);
        this.counts.forget(streamId, user);
        this.roomMemory.leave(socketId, LIVE_ROOM, streamId).catch(() => undefined);
        throw error;
      }
    });
  }

  /**
   * Leaving a stream that one does not watch is no fault.
   * @throws AppError UNAVAILABLE
   */
  async leave(user: Identity, socketId: string, streamId: string): Promise<LivePlacePayload> {
    const id = streamId.toLowerCase();
    await this.inArrivalOrder.run(socketId, async () => {
      await this.emitter.leaveRoom(socketId, liveRoom(id));
      this.counts.forget(id, user);
      await this.roomMemory.leave(socketId, LIVE_ROOM, id);
    });
    return { streamId: id, success: true };
  }

  /**
   * A fresh token: the owner's may publish; others get one while they watch.
   * @throws AppError NOT_FOUND; CONFLICT when it has ended; FORBIDDEN for who does not watch; AGORA_NOT_CONFIGURED; UNAVAILABLE
   */
  async token(user: Identity, socketId: string, streamId: string): Promise<LiveTokenPayload> {
    const { stream } = admitted(await this.looks.at(toStreamId(streamId), partyOf(user)));
    const isOwner = roleIn(stream, user) === 'owner';
    if (!isOwner && !this.emitter.isInRoom(socketId, liveRoom(stream._id.toHexString()))) throw joinFirst();
    return toTokenPayload(stream, this.tokenFor(stream, isOwner), isOwner);
  }

  private tokenFor(stream: LiveStream, isBroadcaster: boolean): AgoraToken {
    const channelName = channelOf(stream);
    return isBroadcaster ? this.agora.publisherToken(channelName) : this.agora.subscriberToken(channelName);
  }

  private entered(user: Identity, stream: LiveStream, isBroadcaster: boolean): void {
    this.noteWatched(stream);
    if (roleIn(stream, user) !== 'owner') this.firstViews.note(stream._id, partyOf(user));
    if (!isBroadcaster) return;
    this.streams.heartbeat(stream._id, new Date()).then(
      () => this.outage.worked(),
      (error: unknown) => this.outage.failed(error),
    );
  }

  private welcome(
    user: Identity,
    socketId: string,
    { stream, viewer }: Admitted,
    { comments, pinned }: Stage,
    token: LiveTokenPayload,
  ): LiveSnapshotPayload {
    const streamId = stream._id.toHexString();
    const viewerCount = this.counts.countWith(streamId, user, socketId);
    const shown = toStreamPayload(stream, viewerCount);
    const { likeCount } = shown;
    this.likeTellings.welcome(socketId, streamId, likeCount);
    return {
      ...token,
      stream: shown,
      viewerCount,
      likeCount,
      liked: viewer?.likes === true,
      muted: viewer?.mutedAt !== undefined,
      comments: comments.map(toCommentPayload),
      pinned: pinned === undefined ? null : toCommentPayload(pinned),
    };
  }

  /** A node that died may not have counted the last likes: the first who comes to another one has them counted. */
  private noteWatched(stream: LiveStream): void {
    const isFirstHere = this.counts.entered(stream._id.toHexString(), partyKey(ownerOf(stream)));
    if (isFirstHere) this.likes.note(stream._id.toHexString());
  }

  /** The stream, when the person may watch it. */
  private async admissionOf(user: Identity, streamId: string): Promise<LiveStream | undefined> {
    const { stream, viewer } = await this.looks.at(toStreamId(streamId), partyOf(user));
    return stream?.isLive === true && viewer?.bannedAt === undefined ? stream : undefined;
  }

  /** The room has come back to a new socket. */
  private async returned(user: Identity, streamId: string, socketId: string): Promise<boolean> {
    const stream = await this.admissionOf(user, streamId);
    if (stream === undefined) return false;
    this.noteWatched(stream);
    this.counts.cameBack(stream._id.toHexString(), socketId);
    this.likeTellings.tellAgain(stream._id.toHexString());
    return true;
  }
}
