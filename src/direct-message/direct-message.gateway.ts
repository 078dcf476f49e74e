import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type {
  ConversationJoinedPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
} from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { ConversationDto, HistoryDto } from '../messaging/conversation.dto.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { SendMessageDto } from './direct-message.dto.js';
import { DirectMessageService } from './direct-message.service.js';
import { HistoryService } from './history.service.js';
import { OpenConversationService } from './open-conversation.service.js';

@RealtimeGateway()
export class DirectMessageGateway {
  constructor(
    private readonly service: DirectMessageService,
    private readonly histories: HistoryService,
    private readonly rooms: OpenConversationService,
  ) {}

  @SubscribeMessage('dm:join_conversation')
  join(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<ConversationJoinedPayload> {
    return this.rooms.join(user, socket.id, conversationId);
  }

  @SubscribeMessage('dm:leave_conversation')
  leave(
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<ConversationJoinedPayload> {
    return this.rooms.leave(socket.id, conversationId);
  }

  @SubscribeMessage('dm:send_message')
  send(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: SendMessageDto,
  ): Promise<DirectMessagePayload> {
    return this.service.send(user, socket.id, dto);
  }

  @SubscribeMessage('dm:history')
  history(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: HistoryDto,
  ): Promise<DirectHistoryPayload> {
    return this.histories.history(user, socket.id, dto);
  }
}
