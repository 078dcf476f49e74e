import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { AppError } from '../contract/errors.js';
import { type Identity, type Party, partyOf } from '../contract/identity.js';
import type { LiveCommentPayload, LiveCommentsPayload } from '../contract/live.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import type { CommentDto, CommentsDto } from './interaction.dto.js';
import { LiveCommentRepository } from './live-comment.repository.js';
import type { LiveComment } from './live-comment.schema.js';
import { admitted, LiveLookService } from './live-look.service.js';
import { toCommentPayload } from './live.mapper.js';
import { banned, nameIn, roleIn, toStreamId } from './live-rules.js';
import { LiveTimes } from './live-times.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { StreamAccessService } from './stream-access.service.js';
import { timedId } from './timed-id.js';

/** Slow mode: of one person, in one stream, on all devices (contract §5). */
const SLOW_MODE_COMMENTS = 3;
const DEFAULT_LIMIT = 50;

/**
 * What is written in a stream (contract §5).
 *
 * Database waits of a comment, whatever the number of viewers: 2 (slow mode, the comment), 1 for the broadcaster's and admins', and 1 for one
 * that is refused. One broadcast: one encoding. Of older comments: 3 reads, of which 2 are shared like those of joins.
 */
@Injectable()
export class CommentService {
  /** By socket: comments are stored and shown in the order in which they came. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly access: StreamAccessService,
    private readonly viewers: LiveViewerRepository,
    private readonly comments: LiveCommentRepository,
    private readonly looks: LiveLookService,
    private readonly emitter: EmitterService,
    private readonly times: LiveTimes,
  ) {}

  /**
   * Stored, then shown to all who are in the stream, the writer among them.
   * @throws AppError FORBIDDEN for who is not in the stream, or muted; RATE_LIMITED (slow mode); NOT_FOUND; CONFLICT; UNAVAILABLE
   */
  async comment(
    user: Identity,
    socketId: string,
    { streamId, message }: CommentDto,
  ): Promise<LiveCommentPayload> {
    const { comment, stored } = await this.inArrivalOrder.run(socketId, async () => {
      const { id, role } = await this.access.inside(user, socketId, streamId);
      const written = newComment(user, streamId, message);
      if (role === 'viewer') await this.takePlace(id, partyOf(user), written._id);
      // Not awaited in here: inserts keep their order, and the next comment need not wait for this one's.
      return { comment: written, stored: this.comments.insert(written) };
    });
    await stored;
    const payload = toCommentPayload(comment);
    this.emitter.toRooms([liveRoom(streamId)], 'live:comment', payload);
    return payload;
  }

  /**
   * A page of the stream's comments, for whoever may join it; after its end for the broadcaster and admins.
   * @throws AppError NOT_FOUND; CONFLICT when it has ended; FORBIDDEN for who was banned; UNAVAILABLE
   */
  async list(user: Identity, { streamId, cursor, limit }: CommentsDto): Promise<LiveCommentsPayload> {
    const id = toStreamId(streamId);
    const look = await this.looks.at(id, partyOf(user));
    if (look.stream === undefined || roleIn(look.stream, user) === 'viewer') admitted(look);
    const size = limit ?? DEFAULT_LIMIT;
    const before = typeof cursor === 'string' ? new Types.ObjectId(cursor) : undefined;
    const found = await this.comments.findNewest(id, size + 1, before);
    const page = found.slice(0, size);
    return {
      streamId,
      comments: page.toReversed().map(toCommentPayload),
      nextCursor: found.length > size ? (page.at(-1)?._id.toHexString() ?? null) : null,
    };
  }

  /** @throws AppError RATE_LIMITED; FORBIDDEN */
  private async takePlace(streamId: Types.ObjectId, person: Party, commentId: Types.ObjectId): Promise<void> {
    const [limit, windowMs] = [SLOW_MODE_COMMENTS, this.times.slowModeMs];
    const viewer = await this.viewers.noteComment(streamId, person, commentId, { windowMs, limit });
    if (viewer === undefined) return;
    if (viewer.bannedAt !== undefined) throw banned();
    if (viewer.mutedAt !== undefined) throw new AppError('FORBIDDEN', 'You may not comment in this stream.');
    const age = Number(viewer.commentAskedAt) - Number(viewer.commentedAt?.[limit - 1]);
    const retryAfterMs = Math.max(1, windowMs - age);
    throw new AppError('RATE_LIMITED', 'You comment too fast.', { retryAfterMs });
  }
}

function newComment(user: Identity, streamId: string, message: string): LiveComment {
  const { id, type } = partyOf(user);
  return {
    _id: timedId(),
    streamId,
    userId: id,
    userType: type,
    userName: nameIn(user),
    userAvatar: user.avatar,
    message,
    timestamp: new Date(),
  };
}
