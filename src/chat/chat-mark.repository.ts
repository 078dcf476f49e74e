import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { Mark } from '../messaging/mark.schema.js';
import { MarkRepository } from '../messaging/mark.repository.js';

/** The name under which the model of `chatmarks` is registered. */
export const CHAT_MARK = 'ChatMark';

/** The collection `chatmarks`. */
@Injectable()
export class ChatMarkRepository extends MarkRepository {
  constructor(@InjectModel(CHAT_MARK) model: Model<Mark>) {
    super(model);
  }
}
