import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { isWrittenBy, MessageRepository } from '../messaging/message.repository.js';
import type { Place } from '../messaging/stored-message.js';
import { DirectMessage } from './direct-message.schema.js';

const LOOKED_AT = 100;

/** The collection `directmessages`. */
@Injectable()
export class DirectMessageRepository extends MessageRepository<DirectMessage> implements OnModuleInit {
  constructor(@InjectModel(DirectMessage.name) model: Model<DirectMessage>) {
    super(model);
  }

  async onModuleInit(): Promise<void> {
    await this.createIndexes();
  }

  /**
   * Whether any of the oldest or newest hundred has no place: the former backend's are older than all others, or newer while it still
   * runs. Two round trips side by side, by `_id`, whatever the size of the collection.
   */
  async hasUnnumberedAtEnds(): Promise<boolean> {
    const options = { projection: { _id: 0, seq: 1 }, limit: LOOKED_AT };
    const ends = await Promise.all(
      ([1, -1] as const).map((_id) => this.collection.find({}, { ...options, sort: { _id } }).toArray()),
    );
    return ends.flat().some(({ seq }) => (seq as number | undefined) === undefined);
  }

  /** There are two parties: what one did not write, the other did. No round trip. */
  override countBy(party: Party, place: Place): Promise<number> {
    return Promise.resolve(isWrittenBy(place, party) ? place.senderSeq : place.seq - place.senderSeq);
  }
}
