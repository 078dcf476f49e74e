import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { Identity } from '../contract/identity.js';
import type {
  LiveCommentDeletedPayload,
  LiveModerationPayload,
  LivePinnedPayload,
} from '../contract/live.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import { CommentModerationService } from './comment-moderation.service.js';
import { DeleteCommentDto, PinDto, TargetDto } from './moderation.dto.js';
import { ModerationService } from './moderation.service.js';

/** What broadcasters and admins do about viewers and comments. */
@RealtimeGateway()
export class ModerationGateway {
  constructor(
    private readonly people: ModerationService,
    private readonly comments: CommentModerationService,
  ) {}

  @SubscribeMessage('live:mute')
  mute(@CurrentUser() user: Identity, @MessageBody() dto: TargetDto): Promise<LiveModerationPayload> {
    return this.people.mute(user, dto);
  }

  @SubscribeMessage('live:ban')
  ban(@CurrentUser() user: Identity, @MessageBody() dto: TargetDto): Promise<LiveModerationPayload> {
    return this.people.ban(user, dto);
  }

  @SubscribeMessage('live:unban')
  unban(@CurrentUser() user: Identity, @MessageBody() dto: TargetDto): Promise<LiveModerationPayload> {
    return this.people.unban(user, dto);
  }

  @SubscribeMessage('live:pin')
  pin(@CurrentUser() user: Identity, @MessageBody() dto: PinDto): Promise<LivePinnedPayload> {
    return this.comments.pin(user, dto);
  }

  @SubscribeMessage('live:delete_comment')
  delete(
    @CurrentUser() user: Identity,
    @MessageBody() dto: DeleteCommentDto,
  ): Promise<LiveCommentDeletedPayload> {
    return this.comments.delete(user, dto);
  }
}
