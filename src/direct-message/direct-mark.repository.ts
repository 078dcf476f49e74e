import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { Mark } from '../messaging/mark.schema.js';
import { MarkRepository } from '../messaging/mark.repository.js';

/** The name under which the model of `directmarks` is registered. */
export const DIRECT_MARK = 'DirectMark';

/** The collection `directmarks`. */
@Injectable()
export class DirectMarkRepository extends MarkRepository {
  constructor(@InjectModel(DIRECT_MARK) model: Model<Mark>) {
    super(model);
  }
}
