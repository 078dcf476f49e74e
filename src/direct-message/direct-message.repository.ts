import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { isWrittenBy, MessageRepository } from '../messaging/message.repository.js';
import type { Place } from '../messaging/stored-message.js';
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

  /** There are two parties: what one did not write, the other did. No round trip. */
  override countBy(party: Party, place: Place): Promise<number> {
    return Promise.resolve(isWrittenBy(place, party) ? place.senderSeq : place.seq - place.senderSeq);
  }
}
