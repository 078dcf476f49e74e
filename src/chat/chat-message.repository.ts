import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { MessageRepository } from '../messaging/message.repository.js';
import { ChatMessage } from './chat-message.schema.js';

/** The collection `chatmessages`. */
@Injectable()
export class ChatMessageRepository extends MessageRepository<ChatMessage> implements OnModuleInit {
  constructor(@InjectModel(ChatMessage.name) model: Model<ChatMessage>) {
    super(model);
  }

  async onModuleInit(): Promise<void> {
    await this.createIndexes();
  }
}
