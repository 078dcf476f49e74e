import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { Identity } from '../contract/identity.js';
import type {
  LiveCommentPayload,
  LiveCommentsPayload,
  LiveGiftPayload,
  LiveLikePayload,
  LivePlacePayload,
} from '../contract/live.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { CommentService } from './comment.service.js';
import { GiftService } from './gift.service.js';
import { CommentDto, CommentsDto, GiftDto, ReactionDto } from './interaction.dto.js';
import { LikeService } from './like.service.js';
import { StreamDto } from './live.dto.js';
import { ReactionService } from './reaction.service.js';

/** What viewers do in a stream. */
@RealtimeGateway()
export class InteractionGateway {
  constructor(
    private readonly comments: CommentService,
    private readonly gifts: GiftService,
    private readonly reactions: ReactionService,
    private readonly likes: LikeService,
  ) {}

  @SubscribeMessage('live:comment')
  comment(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: CommentDto,
  ): Promise<LiveCommentPayload> {
    return this.comments.comment(user, socket.id, dto);
  }

  @SubscribeMessage('live:comments')
  list(@CurrentUser() user: Identity, @MessageBody() dto: CommentsDto): Promise<LiveCommentsPayload> {
    return this.comments.list(user, dto);
  }

  @SubscribeMessage('live:gift')
  gift(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: GiftDto,
  ): Promise<LiveGiftPayload> {
    return this.gifts.send(user, socket.id, dto);
  }

  @SubscribeMessage('live:reaction')
  react(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: ReactionDto,
  ): Promise<LivePlacePayload> {
    return this.reactions.react(user, socket.id, dto);
  }

  @SubscribeMessage('live:like')
  like(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { streamId }: StreamDto,
  ): Promise<LiveLikePayload> {
    return this.likes.like(user, socket.id, streamId);
  }

  @SubscribeMessage('live:unlike')
  unlike(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { streamId }: StreamDto,
  ): Promise<LiveLikePayload> {
    return this.likes.unlike(user, socket.id, streamId);
  }
}
