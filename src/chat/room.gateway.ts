import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type {
  ChatMembersPayload,
  ChatMutedPayload,
  ChatRoomPayload,
  ChatRoomsPayload,
} from '../contract/chat.js';
import type { Identity } from '../contract/identity.js';
import { ConversationDto } from '../messaging/conversation.dto.js';
import { ConversationsDto } from '../messaging/conversations.dto.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { ChatListService } from './chat-list.service.js';
import { CreateRoomDto, MuteRoomDto, RenameRoomDto, RoomMemberDto, RoomMembersDto } from './chat.dto.js';
import { MembershipService } from './membership.service.js';

/** Rooms and who is in them. */
@RealtimeGateway()
export class RoomGateway {
  constructor(
    private readonly service: MembershipService,
    private readonly lists: ChatListService,
  ) {}

  @SubscribeMessage('chat:create')
  create(@CurrentUser() user: Identity, @MessageBody() dto: CreateRoomDto): Promise<ChatRoomPayload> {
    return this.service.create(user, dto);
  }

  @SubscribeMessage('chat:add_member')
  add(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: RoomMemberDto,
  ): Promise<ChatRoomPayload> {
    return this.service.add(user, socket.id, dto);
  }

  @SubscribeMessage('chat:remove_member')
  remove(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: RoomMemberDto,
  ): Promise<ChatRoomPayload> {
    return this.service.remove(user, socket.id, dto);
  }

  @SubscribeMessage('chat:leave_room')
  leave(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { conversationId }: ConversationDto,
  ): Promise<ChatRoomPayload> {
    return this.service.leave(user, socket.id, conversationId);
  }

  @SubscribeMessage('chat:rename')
  rename(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: RenameRoomDto,
  ): Promise<ChatRoomPayload> {
    return this.service.rename(user, socket.id, dto);
  }

  @SubscribeMessage('chat:mute')
  mute(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: MuteRoomDto,
  ): Promise<ChatMutedPayload> {
    return this.service.mute(user, socket.id, dto);
  }

  @SubscribeMessage('chat:rooms')
  list(@CurrentUser() user: Identity, @MessageBody() dto: ConversationsDto): Promise<ChatRoomsPayload> {
    return this.lists.list(user, dto);
  }

  @SubscribeMessage('chat:members')
  members(@CurrentUser() user: Identity, @MessageBody() dto: RoomMembersDto): Promise<ChatMembersPayload> {
    return this.lists.members(user, dto);
  }
}
