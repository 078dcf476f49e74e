import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type {
  DirectMessagePayload,
  MessageDeletedPayload,
  ReactionUpdatedPayload,
} from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { EditMessageDto, MessageDto, ReactionDto } from './message-actions.dto.js';
import { MessageActionsService } from './message-actions.service.js';

@RealtimeGateway()
export class MessageActionsGateway {
  constructor(private readonly service: MessageActionsService) {}

  @SubscribeMessage('dm:edit_message')
  edit(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: EditMessageDto,
  ): Promise<DirectMessagePayload> {
    return this.service.edit(user, socket.id, dto);
  }

  @SubscribeMessage('dm:delete_message')
  delete(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { messageId }: MessageDto,
  ): Promise<MessageDeletedPayload> {
    return this.service.delete(user, socket.id, messageId);
  }

  @SubscribeMessage('dm:react')
  react(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: ReactionDto,
  ): Promise<ReactionUpdatedPayload> {
    return this.service.react(user, socket.id, dto);
  }

  @SubscribeMessage('dm:unreact')
  unreact(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: ReactionDto,
  ): Promise<ReactionUpdatedPayload> {
    return this.service.unreact(user, socket.id, dto);
  }
}
