import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { MessageRepository } from '../messaging/message.repository.js';
import { DirectMessage } from './direct-message.schema.js';

/** The collection `directmessages`. */
@Injectable()
export class DirectMessageRepository extends MessageRepository<DirectMessage> implements OnModuleInit {
  constructor(@InjectModel(DirectMessage.name) model: Model<DirectMessage>) {
    super(model);
  }

  async onModuleInit(): Promise<void> {
    await this.createIndexes();
  }
}
