import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import type { UserType } from '../contract/identity.js';

/** A gift to the broadcaster of a stream (contract §5). */
@Schema({ collection: 'livegifts', versionKey: false })
export class LiveGift {
  /** Also that of the comment as which it is shown. */
  _id!: Types.ObjectId;

  @Prop({ type: String, required: true })
  streamId!: string;

  /** Who gets it. */
  @Prop({ type: String, required: true })
  astrologerId!: string;

  /** `partyKey`. */
  @Prop({ type: String, required: true })
  sender!: string;

  @Prop({ type: String, required: true })
  senderId!: string;

  @Prop({ type: String, required: true })
  senderType!: UserType;

  @Prop({ type: String, default: '' })
  senderName!: string;

  @Prop({ type: String, default: '' })
  senderAvatar!: string;

  @Prop({ type: String, required: true })
  giftType!: string;

  @Prop({ type: Number, required: true })
  giftValue!: number;

  /** Absent when the client named none. */
  @Prop({ type: String })
  clientGiftId?: string;

  @Prop({ type: Date, required: true })
  timestamp!: Date;

  /** It was taken by the ledger, is in the stream's totals, and was shown. */
  @Prop({ type: Date })
  finishedAt?: Date;

  /**
   * What is left to do, by whichever node finds it at this time: before `finishedAt`, all of it, because whoever was at it died; after it,
   * the stream may forget that it has counted the gift. Absent when nothing is.
   */
  @Prop({ type: Date })
  due?: Date;
}

export const LiveGiftSchema = SchemaFactory.createForClass(LiveGift);

LiveGiftSchema.index(
  { streamId: 1, sender: 1, clientGiftId: 1 },
  { unique: true, partialFilterExpression: { clientGiftId: { $exists: true } } },
);
LiveGiftSchema.index({ due: 1 }, { partialFilterExpression: { due: { $exists: true } } });
