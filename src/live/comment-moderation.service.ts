import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, partyOf } from '../contract/identity.js';
import type { LiveCommentDeletedPayload, LivePinnedPayload } from '../contract/live.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import { LiveCommentRepository } from './live-comment.repository.js';
import type { LiveComment } from './live-comment.schema.js';
import { toCommentPayload } from './live.mapper.js';
import { roleIn } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { DeleteCommentDto, PinDto } from './moderation.dto.js';
import { StreamAccessService } from './stream-access.service.js';

/**
 * Comments that stand above the others, and those that go (contract §5).
 *
 * Round trips: 4 to pin, 2 to unpin, 4 to delete. One broadcast each.
 */
@Injectable()
export class CommentModerationService {
  /** By stream: the room is told of pins in the order in which they are stored. */
  private readonly oneAtATime = new KeyedQueue();

  constructor(
    private readonly access: StreamAccessService,
    private readonly streams: LiveStreamRepository,
    private readonly comments: LiveCommentRepository,
    private readonly emitter: EmitterService,
  ) {}

  /**
   * One comment stands above all others; a former one does no more. Without a comment none does.
   * @throws AppError FORBIDDEN for others than the broadcaster and admins; NOT_FOUND; CONFLICT when the stream has ended; UNAVAILABLE
   */
  pin(user: Identity, { streamId, commentId }: PinDto): Promise<LivePinnedPayload> {
    const access = this.access.moderated(user, streamId);
    // Awaited in its turn: a refusal may come before that.
    access.catch(() => undefined);
    return this.oneAtATime.run(streamId, async () => {
      const { _id } = await access;
      if (typeof commentId !== 'string') {
        await this.streams.pin(_id, undefined);
        return this.tellPinned(streamId, null);
      }
      return this.pinOne(_id, new Types.ObjectId(commentId));
    });
  }

  /**
   * Its text goes, for everybody and for good. By its author, the broadcaster and admins, also after the stream's end.
   * @throws AppError NOT_FOUND; FORBIDDEN for others; UNAVAILABLE
   */
  async delete(
    user: Identity,
    { streamId, commentId }: DeleteCommentDto,
  ): Promise<LiveCommentDeletedPayload> {
    const id = new Types.ObjectId(commentId);
    const stream = await this.access.find(streamId);
    const comment = await this.findComment(stream._id, id);
    if (!isBy(comment, user) && roleIn(stream, user) === 'viewer')
      throw new AppError('FORBIDDEN', 'Only its author, the broadcaster and admins may delete a comment.');
    return this.oneAtATime.run(streamId, async () => {
      if (!(await this.comments.delete(stream._id, id, new Date()))) throw commentNotFound();
      // Told at once: it is gone, whatever becomes of what follows, and a repeat does not find it any more.
      const payload = { streamId, commentId: id.toHexString(), timestamp: Date.now() };
      this.emitter.toRooms([liveRoom(streamId)], 'live:comment_deleted', payload);
      // Of use to other programs that read the stream: what is deleted is not shown, pinned or not.
      await this.streams.unpin(stream._id, id);
      return payload;
    });
  }

  /** Looked at once more when it is pinned: a deletion on another node either finds it pinned or was seen here. */
  private async pinOne(streamId: Types.ObjectId, commentId: Types.ObjectId): Promise<LivePinnedPayload> {
    const comment = await this.findComment(streamId, commentId);
    await this.streams.pin(streamId, commentId);
    if ((await this.comments.find(streamId, commentId)) !== null)
      return this.tellPinned(streamId.toHexString(), comment);
    await this.streams.unpin(streamId, commentId);
    this.tellPinned(streamId.toHexString(), null);
    throw commentNotFound();
  }

  private async findComment(streamId: Types.ObjectId, commentId: Types.ObjectId): Promise<LiveComment> {
    const comment = await this.comments.find(streamId, commentId);
    if (comment === null) throw commentNotFound();
    return comment;
  }

  private tellPinned(streamId: string, comment: LiveComment | null): LivePinnedPayload {
    const payload = {
      streamId,
      comment: comment === null ? null : toCommentPayload(comment),
      timestamp: Date.now(),
    };
    this.emitter.toRooms([liveRoom(streamId)], 'live:pinned', payload);
    return payload;
  }
}

function isBy({ userId, userType }: LiveComment, user: Identity): boolean {
  return isSameParty({ id: userId, type: userType }, partyOf(user));
}

function commentNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such comment.');
}
