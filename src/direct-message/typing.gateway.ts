import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { Identity } from '../contract/identity.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { ConversationDto } from '../messaging/conversation.dto.js';
import { TypingService } from './typing.service.js';

@RealtimeGateway()
export class TypingGateway {
  constructor(private readonly service: TypingService) {}

  @SubscribeMessage('dm:typing_start')
  start(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<void> {
    return this.service.start(user, socket.id, conversationId);
  }

  @SubscribeMessage('dm:typing_stop')
  stop(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<void> {
    return this.service.stop(user, socket.id, conversationId);
  }
}
