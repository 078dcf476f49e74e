import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { OpenRoomsModule } from '../open-rooms/open-rooms.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { ConversationService } from './conversation.service.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import { DirectConversation, DirectConversationSchema } from './direct-conversation.schema.js';
import { DirectMessageGateway } from './direct-message.gateway.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import { DirectMessage, DirectMessageSchema } from './direct-message.schema.js';
import { DirectMessageService } from './direct-message.service.js';
import { LastMessageService } from './last-message.service.js';

@Module({
  imports: [
    OpenRoomsModule,
    RealtimeModule,
    MongooseModule.forFeature([
      { name: DirectMessage.name, schema: DirectMessageSchema },
      { name: DirectConversation.name, schema: DirectConversationSchema },
    ]),
  ],
  providers: [
    DirectMessageGateway,
    DirectMessageService,
    ConversationService,
    LastMessageService,
    DirectMessageRepository,
    DirectConversationRepository,
  ],
})
export class DirectMessageModule {}
