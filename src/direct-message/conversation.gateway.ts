import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type {
  DeliveredMarkPayload,
  DirectConversationPayload,
  DirectConversationsPayload,
  ReadMarkPayload,
} from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { ConversationsDto } from '../messaging/conversations.dto.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { ConversationListService } from './conversation-list.service.js';
import { MarkDeliveredDto, MarkReadDto, OpenConversationDto } from './conversation.dto.js';
import { MarkService } from './mark.service.js';

@RealtimeGateway()
export class ConversationGateway {
  constructor(
    private readonly lists: ConversationListService,
    private readonly marks: MarkService,
  ) {}

  @SubscribeMessage('dm:open')
  open(
    @CurrentUser() user: Identity,
    @MessageBody() dto: OpenConversationDto,
  ): Promise<DirectConversationPayload> {
    return this.lists.open(user, dto);
  }

  @SubscribeMessage('dm:conversations')
  list(
    @CurrentUser() user: Identity,
    @MessageBody() dto: ConversationsDto,
  ): Promise<DirectConversationsPayload> {
    return this.lists.list(user, dto);
  }

  @SubscribeMessage('dm:mark_read')
  markRead(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: MarkReadDto,
  ): Promise<ReadMarkPayload> {
    return this.marks.markRead(user, socket.id, dto);
  }

  @SubscribeMessage('dm:mark_delivered')
  markDelivered(
    @CurrentUser() user: Identity,
    @MessageBody() dto: MarkDeliveredDto,
  ): Promise<DeliveredMarkPayload> {
    return this.marks.markDelivered(user, dto);
  }
}
