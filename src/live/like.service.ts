import { Injectable } from '@nestjs/common';
import { AppError } from '../contract/errors.js';
import { type Identity, partyOf } from '../contract/identity.js';
import type { LiveLikePayload } from '../contract/live.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { LikeCountsService } from './like-counts.service.js';
import { banned, toStreamId } from './live-rules.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { StreamAccessService } from './stream-access.service.js';

/** Likes (contract §5): one for each person and stream, stored. Database waits: 1. `LikeCountsService` counts and tells, behind them. */
@Injectable()
export class LikeService {
  /** By socket: an unlike must not pass the like before it. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly access: StreamAccessService,
    private readonly viewers: LiveViewerRepository,
    private readonly counts: LikeCountsService,
  ) {}

  /** @throws AppError CONFLICT when the caller likes it already; FORBIDDEN for who is not in the stream; NOT_FOUND; UNAVAILABLE */
  like(user: Identity, socketId: string, streamId: string): Promise<LiveLikePayload> {
    return this.change(user, socketId, streamId, true);
  }

  /** @throws AppError CONFLICT when the caller does not like it; else as `like` */
  unlike(user: Identity, socketId: string, streamId: string): Promise<LiveLikePayload> {
    return this.change(user, socketId, streamId, false);
  }

  private change(
    user: Identity,
    socketId: string,
    streamId: string,
    liked: boolean,
  ): Promise<LiveLikePayload> {
    return this.inArrivalOrder.run(socketId, async () => {
      await this.access.assertInside(user, socketId, streamId);
      const [id, person] = [toStreamId(streamId), partyOf(user)];
      const change = liked ? this.viewers.like(id, person) : this.viewers.unlike(id, person);
      const before = await change.catch((error: unknown) => {
        // When the database's answer is lost, it may have changed.
        this.counts.note(streamId);
        throw error;
      });
      if (before?.bannedAt !== undefined) throw banned();
      if ((before?.likes === true) === liked) throw asBefore(liked);
      this.counts.note(streamId);
      return { streamId, liked };
    });
  }
}

function asBefore(liked: boolean): AppError {
  const message = liked ? 'You like this stream already.' : 'You do not like this stream.';
  return new AppError('CONFLICT', message, { alreadyLiked: liked });
}
