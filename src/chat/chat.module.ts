import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlockModule } from '../messaging/block.module.js';
import { LastMessageRepair } from '../messaging/last-message-repair.js';
import { MarkSchema } from '../messaging/mark.schema.js';
import { TypingModule } from '../messaging/typing.module.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { NodesModule } from '../nodes/nodes.module.js';
import { OpenRoomsModule } from '../open-rooms/open-rooms.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { PushModule } from '../push/push.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { ChatAccessService } from './chat-access.service.js';
import { ChatGateway } from './chat.gateway.js';
import { ChatHistoryService } from './chat-history.service.js';
import { ChatLastMessageService } from './chat-last-message.service.js';
import { ChatListService } from './chat-list.service.js';
import { CHAT_MARK, ChatMarkRepository } from './chat-mark.repository.js';
import { ChatMessageRepository } from './chat-message.repository.js';
import { ChatMessage, ChatMessageSchema } from './chat-message.schema.js';
import { ChatMessageService } from './chat-message.service.js';
import { ChatPushService } from './chat-push.service.js';
import { ChatPresenceService } from './chat-presence.service.js';
import { ChatReadService } from './chat-read.service.js';
import { ChatRoomRepository } from './chat-room.repository.js';
import { ChatRoom, ChatRoomSchema } from './chat-room.schema.js';
import { ChatTimes } from './chat-times.js';
import { ChatTypingService } from './chat-typing.service.js';
import { KnownRooms } from './known-rooms.js';
import { MemberBroadcasts } from './member-broadcasts.js';
import { MembershipService } from './membership.service.js';
import { OpenChatService } from './open-chat.service.js';
import { RoomGateway } from './room.gateway.js';
import { RoomNoticesService } from './room-notices.service.js';

@Module({
  imports: [
    OpenRoomsModule,
    RealtimeModule,
    NodesModule,
    PresenceModule,
    PushModule,
    BlockModule,
    TypingModule,
    MongooseModule.forFeature([
      { name: ChatRoom.name, schema: ChatRoomSchema },
      { name: ChatMessage.name, schema: ChatMessageSchema },
      { name: CHAT_MARK, schema: MarkSchema, collection: 'chatmarks' },
    ]),
  ],
  providers: [
    ChatGateway,
    RoomGateway,
    ChatMessageService,
    ChatPushService,
    ChatAccessService,
    ChatHistoryService,
    ChatListService,
    ChatReadService,
    ChatTypingService,
    ChatPresenceService,
    ChatLastMessageService,
    {
      provide: LastMessageRepair,
      inject: [NodeRegistry, ChatMessageRepository, ChatRoomRepository],
      useFactory: (nodes: NodeRegistry, messages: ChatMessageRepository, conversations: ChatRoomRepository) =>
        new LastMessageRepair(nodes, messages, conversations),
    },
    MembershipService,
    RoomNoticesService,
    OpenChatService,
    KnownRooms,
    MemberBroadcasts,
    ChatRoomRepository,
    ChatMessageRepository,
    ChatMarkRepository,
    ChatTimes,
  ],
})
export class ChatModule {}
