import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlockModule } from '../messaging/block.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { BlockGateway } from './block.gateway.js';
import { ConversationService } from './conversation.service.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import { DirectConversation, DirectConversationSchema } from './direct-conversation.schema.js';
import { DirectMessageGateway } from './direct-message.gateway.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import { DirectMessage, DirectMessageSchema } from './direct-message.schema.js';
import { DirectMessageService } from './direct-message.service.js';
import { LastMessageService } from './last-message.service.js';
import { TypingGateway } from './typing.gateway.js';
import { TypingService } from './typing.service.js';
import { TypingTimes } from './typing-times.js';

@Module({
  imports: [
    RealtimeModule,
    BlockModule,
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
    TypingGateway,
    TypingService,
    TypingTimes,
    BlockGateway,
  ],
})
export class DirectMessageModule {}
