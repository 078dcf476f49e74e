import { Injectable } from '@nestjs/common';
import type { Types } from 'mongoose';
import { type Identity, partyKey, partyOf } from '../contract/identity.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import { admitted, LiveLookService } from './live-look.service.js';
import {
  joinFirst,
  type LiveRole,
  notAllowed,
  ownerOf,
  roleBeside,
  roleIn,
  streamEnded,
  streamNotFound,
  toStreamId,
} from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { ViewerCountsService } from './viewer-counts.service.js';

/** A stream whose room the caller's socket is in. */
export interface InsideView {
  id: Types.ObjectId;
  role: LiveRole;
}

/** Who may do what in a stream (contract §5). */
@Injectable()
export class StreamAccessService {
  constructor(
    private readonly emitter: EmitterService,
    private readonly counts: ViewerCountsService,
    private readonly looks: LiveLookService,
    private readonly streams: LiveStreamRepository,
  ) {}

  /**
   * For what only those do who are in the stream: a look into memory. That the socket is in the room says that the stream is live and the
   * caller not banned, because an end and a ban empty it, once this node is told. Only a refusal asks the database: two reads, shared like those of joins.
   * @throws AppError FORBIDDEN for who is not in it, or was banned; NOT_FOUND; CONFLICT when it has ended; UNAVAILABLE
   */
  async assertInside(user: Identity, socketId: string, streamId: string): Promise<void> {
    if (this.emitter.isInRoom(socketId, liveRoom(streamId))) return;
    admitted(await this.looks.at(toStreamId(streamId), partyOf(user)));
    throw joinFirst();
  }

  /**
   * Likewise, with what the caller is to the stream: known from the joins, and read only in the moment before the first join is done with.
   * @throws AppError as `assertInside`
   */
  async inside(user: Identity, socketId: string, streamId: string): Promise<InsideView> {
    await this.assertInside(user, socketId, streamId);
    const id = toStreamId(streamId);
    const owner = this.counts.ownerOf(streamId) ?? (await this.readOwner(id));
    return { id, role: roleBeside(owner, user) };
  }

  /**
   * The stream, for who is in it; the database is asked what this node may not have been told: of a ban, or of the end. Two reads, shared like
   * those of joins.
   * @throws AppError as `assertInside`
   */
  async admittedInside(user: Identity, socketId: string, streamId: string): Promise<LiveStream> {
    const { stream } = admitted(await this.looks.at(toStreamId(streamId), partyOf(user)));
    if (!this.emitter.isInRoom(socketId, liveRoom(streamId))) throw joinFirst();
    return stream;
  }

  /**
   * The stream, for its broadcaster and admins, wherever they are. One round trip.
   * @throws AppError NOT_FOUND; FORBIDDEN for others; CONFLICT when it has ended; UNAVAILABLE
   */
  async moderated(user: Identity, streamId: string): Promise<LiveStream> {
    const stream = await this.find(streamId);
    if (roleIn(stream, user) === 'viewer') throw notAllowed();
    if (!stream.isLive) throw streamEnded();
    return stream;
  }

  /**
   * One round trip.
   * @throws AppError NOT_FOUND; UNAVAILABLE
   */
  async find(streamId: string): Promise<LiveStream> {
    const stream = await this.streams.find(toStreamId(streamId));
    if (stream === null) throw streamNotFound();
    return stream;
  }

  private async readOwner(id: Types.ObjectId): Promise<string> {
    return partyKey(ownerOf(await this.find(id.toHexString())));
  }
}
