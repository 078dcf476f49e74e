import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { AgoraTokenService } from '../agora/agora-token.service.js';
import { newLiveChannelName } from '../agora/channel-name.js';
import type { LivePlacePayload, LiveSummaryPayload, LiveTokenPayload } from '../contract/live.js';
import { AppError } from '../contract/errors.js';
import { type Identity, partyKey } from '../contract/identity.js';
import { RoomMemory } from '../open-rooms/room-memory.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import type { StartStreamDto } from './live.dto.js';
import { toTokenPayload } from './live.mapper.js';
import { notAllowed, ownerOf, roleIn, streamEnded, streamNotFound, toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { LIVE_ROOM } from './live-room.js';
import { StreamEndService } from './stream-end.service.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/** Two devices of one astrologer that start at once each end the other's stream; at the end one of them stands. */
const MAX_TRIES = 5;

/**
 * What a broadcaster does with a stream (contract §5).
 *
 * Database round trips. Start: 2, and those of the end of a former stream. End: 1 more than `StreamEndService` says. Heartbeat: 2.
 */
@Injectable()
export class BroadcastService {
  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly ending: StreamEndService,
    private readonly agora: AgoraTokenService,
    private readonly emitter: EmitterService,
    private readonly roomMemory: RoomMemory,
    private readonly counts: ViewerCountsService,
  ) {}

  /**
   * A new stream; a former one of the astrologer's is ended like any other. Everybody who is connected is told.
   * @throws AppError FORBIDDEN for others than astrologers; AGORA_NOT_CONFIGURED; UNAVAILABLE
   */
  async start(user: Identity, socketId: string, dto: StartStreamDto): Promise<LiveTokenPayload> {
    if (user.type !== 'astrologer') throw new AppError('FORBIDDEN', 'Only astrologers may start a stream.');
    const channelName = newLiveChannelName();
    const token = this.agora.publisherToken(channelName);
    const stream = newStream(user, dto, channelName);
    const streamId = stream._id.toHexString();
    const room = liveRoom(streamId);
    // Before it is stored, and told as soon as it is: whoever ends it at once finds its room, and is not overtaken.
    await this.emitter.joinRoom(socketId, room);
    await this.store(stream, user.id).catch(async (error: unknown) => {
      await this.emitter.leaveRoom(socketId, room);
      throw error;
    });
    this.tellStarted(stream);
    this.counts.entered(streamId, partyKey(ownerOf(stream)));
    await this.roomMemory.enter(socketId, LIVE_ROOM, streamId);
    return toTokenPayload(stream, token, true);
  }

  /**
   * By the owner or an admin.
   * @throws AppError NOT_FOUND; FORBIDDEN; CONFLICT when it has ended; UNAVAILABLE
   */
  async end(user: Identity, streamId: string): Promise<LiveSummaryPayload> {
    const stream = await this.streams.find(toStreamId(streamId));
    if (stream === null) throw streamNotFound();
    if (roleIn(stream, user) === 'viewer') throw notAllowed();
    const summary = await this.ending.end(stream);
    if (summary === null) throw streamEnded();
    return summary;
  }

  /**
   * The owner is alive, even without a socket that lasts.
   * @throws AppError NOT_FOUND; FORBIDDEN for others; CONFLICT when it has ended; UNAVAILABLE
   */
  async heartbeat(user: Identity, streamId: string): Promise<LivePlacePayload> {
    const stream = await this.streams.find(toStreamId(streamId));
    if (stream === null) throw streamNotFound();
    if (roleIn(stream, user) !== 'owner') throw notAllowed();
    if (!(await this.streams.heartbeat(stream._id, new Date()))) throw streamEnded();
    return { streamId, success: true };
  }

  /** That an astrologer has one live stream is the index's to say. */
  private async store(stream: LiveStream, astrologerId: string): Promise<void> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const former = await this.streams.findLiveOf(astrologerId);
      for (const other of former) await this.ending.end(other);
      if (await this.streams.insert(stream)) return;
    }
    throw new AppError('CONFLICT', 'Another device is starting a stream.');
  }

  private tellStarted(stream: LiveStream): void {
    const streamId = stream._id.toHexString();
    this.emitter.toEverybody('live:stream_started', {
      streamId,
      _id: streamId,
      astrologerId: String(stream.astrologerId),
      astrologerName: stream.astrologerName ?? '',
      astrologerProfilePicture: stream.astrologerProfilePicture ?? '',
      title: stream.title ?? '',
      category: stream.category ?? '',
      isLive: true,
      timestamp: Date.now(),
    });
  }
}

function newStream(
  { id, name, avatar }: Identity,
  { title, description, category, tags }: StartStreamDto,
  channelName: string,
): LiveStream {
  const now = new Date();
  return {
    _id: new Types.ObjectId(),
    astrologerId: id,
    astrologerName: name,
    astrologerProfilePicture: avatar,
    title: title ?? '',
    description: description ?? '',
    category: category ?? '',
    tags: tags ?? [],
    channelName,
    isLive: true,
    onAir: id,
    startedAt: now,
    createdAt: now,
    lastHeartbeat: now,
    peakViewerCount: 0,
    totalViews: 0,
    likeCount: 0,
    giftCount: 0,
    giftValue: 0,
  };
}
