import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { ConversationService } from './conversation.service.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import { DirectConversation, DirectConversationSchema } from './direct-conversation.schema.js';
import { DirectMessageGateway } from './direct-message.gateway.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import { DirectMessage, DirectMessageSchema } from './direct-message.schema.js';
import { DirectMessageService } from './direct-message.service.js';
import { LastMessageService } from './last-message.service.js';
import { MessageActionsGateway } from './message-actions.gateway.js';
import { MessageActionsRepository } from './message-actions.repository.js';
import { MessageActionsService } from './message-actions.service.js';
import { ReportGateway } from './report.gateway.js';
import { ReportRepository } from './report.repository.js';
import { Report, ReportSchema } from './report.schema.js';
import { ReportService } from './report.service.js';

@Module({
  imports: [
    RealtimeModule,
    MongooseModule.forFeature([
      { name: DirectMessage.name, schema: DirectMessageSchema },
      { name: DirectConversation.name, schema: DirectConversationSchema },
      { name: Report.name, schema: ReportSchema },
    ]),
  ],
  providers: [
    DirectMessageGateway,
    DirectMessageService,
    ConversationService,
    LastMessageService,
    DirectMessageRepository,
    DirectConversationRepository,
    MessageActionsGateway,
    MessageActionsService,
    MessageActionsRepository,
    ReportGateway,
    ReportService,
    ReportRepository,
  ],
})
export class DirectMessageModule {}
