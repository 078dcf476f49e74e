import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { ChatHistoryPayload, ChatMessagePayload, ChatOpenedPayload } from '../contract/chat.js';
import type { ReadMarkPayload } from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { ConversationDto, HistoryDto } from '../messaging/conversation.dto.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { ChatHistoryService } from './chat-history.service.js';
import { ChatMessageService } from './chat-message.service.js';
import { ChatReadService } from './chat-read.service.js';
import { ChatTypingService } from './chat-typing.service.js';
import { ChatMessageDto, ChatReadDto } from './chat.dto.js';
import { OpenChatService } from './open-chat.service.js';

/** What members do in a room. */
@RealtimeGateway()
export class ChatGateway {
  constructor(
    private readonly service: ChatMessageService,
    private readonly opened: OpenChatService,
    private readonly typists: ChatTypingService,
    private readonly marks: ChatReadService,
    private readonly histories: ChatHistoryService,
  ) {}

  @SubscribeMessage('chat:join')
  join(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<ChatOpenedPayload> {
    return this.opened.join(user, socket.id, conversationId);
  }

  @SubscribeMessage('chat:leave')
  leave(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<ChatOpenedPayload> {
    return this.opened.leave(user, socket.id, conversationId);
  }

  @SubscribeMessage('chat:message')
  send(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: ChatMessageDto,
  ): Promise<ChatMessagePayload> {
    return this.service.send(user, socket.id, dto);
  }

  @SubscribeMessage('chat:typing')
  startTyping(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<void> {
    return this.typists.start(user, socket.id, conversationId);
  }

  @SubscribeMessage('chat:stop_typing')
  stopTyping(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<void> {
    return this.typists.stop(user, socket.id, conversationId);
  }

  @SubscribeMessage('chat:read')
  read(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: ChatReadDto,
  ): Promise<ReadMarkPayload> {
    return this.marks.read(user, socket.id, dto);
  }

  @SubscribeMessage('chat:history')
  history(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: HistoryDto,
  ): Promise<ChatHistoryPayload> {
    return this.histories.history(user, socket.id, dto);
  }
}
