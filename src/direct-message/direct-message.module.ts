import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlockModule } from '../messaging/block.module.js';
import { CallLogModule } from '../messaging/call-log.module.js';
import { LastMessageRepair } from '../messaging/last-message-repair.js';
import { MarkSchema } from '../messaging/mark.schema.js';
import { TypingModule } from '../messaging/typing.module.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { NodesModule } from '../nodes/nodes.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { PushModule } from '../push/push.module.js';
import { OpenRoomsModule } from '../open-rooms/open-rooms.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { BlockGateway } from './block.gateway.js';
import { CallLogService } from './call-log.service.js';
import { ConversationListService } from './conversation-list.service.js';
import { ConversationGateway } from './conversation.gateway.js';
import { ConversationService } from './conversation.service.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import { DirectConversation, DirectConversationSchema } from './direct-conversation.schema.js';
import { DIRECT_MARK, DirectMarkRepository } from './direct-mark.repository.js';
import { DirectMessageGateway } from './direct-message.gateway.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import { DirectMessage, DirectMessageSchema } from './direct-message.schema.js';
import { DirectMessageService } from './direct-message.service.js';
import { FormerMessages } from './former-messages.js';
import { HistoryService } from './history.service.js';
import { LastMessageService } from './last-message.service.js';
import { MarkService } from './mark.service.js';
import { MessageActionsGateway } from './message-actions.gateway.js';
import { MessageActionsRepository } from './message-actions.repository.js';
import { MessageActionsService } from './message-actions.service.js';
import { OpenConversationService } from './open-conversation.service.js';
import { ReportGateway } from './report.gateway.js';
import { ReportRepository } from './report.repository.js';
import { Report, ReportSchema } from './report.schema.js';
import { ReportService } from './report.service.js';
import { TypingGateway } from './typing.gateway.js';
import { TypingService } from './typing.service.js';

@Module({
  imports: [
    OpenRoomsModule,
    RealtimeModule,
    NodesModule,
    PresenceModule,
    PushModule,
    BlockModule,
    TypingModule,
    CallLogModule,
    MongooseModule.forFeature([
      { name: DirectMessage.name, schema: DirectMessageSchema },
      { name: DirectConversation.name, schema: DirectConversationSchema },
      { name: DIRECT_MARK, schema: MarkSchema, collection: 'directmarks' },
      { name: Report.name, schema: ReportSchema },
    ]),
  ],
  providers: [
    ConversationGateway,
    DirectMessageGateway,
    DirectMessageService,
    ConversationService,
    ConversationListService,
    HistoryService,
    OpenConversationService,
    MarkService,
    LastMessageService,
    {
      provide: LastMessageRepair,
      inject: [NodeRegistry, DirectMessageRepository, DirectConversationRepository],
      useFactory: (
        nodes: NodeRegistry,
        messages: DirectMessageRepository,
        conversations: DirectConversationRepository,
      ) => new LastMessageRepair(nodes, messages, conversations),
    },
    FormerMessages,
    DirectMessageRepository,
    DirectConversationRepository,
    DirectMarkRepository,
    TypingGateway,
    TypingService,
    BlockGateway,
    MessageActionsGateway,
    MessageActionsService,
    MessageActionsRepository,
    CallLogService,
    ReportGateway,
    ReportService,
    ReportRepository,
  ],
})
export class DirectMessageModule {}
