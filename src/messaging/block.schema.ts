import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import { type Party, partyKey, USER_TYPES, type UserType } from '../contract/identity.js';

/** That one person takes no messages and calls from another. Unblocking deletes it. */
@Schema({ collection: 'blocks', versionKey: false })
export class Block {
  _id!: Types.ObjectId;

  /** Who blocks whom, as one text. */
  @Prop({ type: String, required: true })
  pair!: string;

  /** `partyKey` of the one who blocks. */
  @Prop({ type: String, required: true })
  blocker!: string;

  @Prop({ type: String, required: true })
  blockedId!: string;

  @Prop({ type: String, required: true, enum: USER_TYPES })
  blockedType!: UserType;

  @Prop({ type: Date, required: true })
  blockedAt!: Date;

  /** When somebody last asked for it; the database's clock, by which the nodes follow what others block. */
  @Prop({ type: Date, required: true })
  changedAt!: Date;
}

export const BlockSchema = SchemaFactory.createForClass(Block);

BlockSchema.index({ pair: 1 }, { unique: true });
BlockSchema.index({ blocker: 1, _id: -1 });
BlockSchema.index({ changedAt: 1 });

/** Ids contain no spaces, so no two pairs share one. */
export function pairKey(blocker: Party, blocked: Party): string {
  return `${partyKey(blocker)} ${partyKey(blocked)}`;
}
