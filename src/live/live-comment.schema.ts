import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import type { UserType } from '../contract/identity.js';

/** A comment, or a gift as it stands among them, in the former backend's collection. */
@Schema({ collection: 'livecomments', versionKey: false })
export class LiveComment {
  _id!: Types.ObjectId;

  /** A text here; a former backend's comments have an ObjectId, and are not seen. */
  @Prop({ type: String, required: true })
  streamId!: string;

  @Prop({ type: String, required: true })
  userId!: string;

  @Prop({ type: String, required: true })
  userType!: UserType;

  @Prop({ type: String, default: '' })
  userName!: string;

  @Prop({ type: String, default: '' })
  userAvatar!: string;

  @Prop({ type: String, required: true })
  message!: string;

  @Prop({ type: Date, required: true })
  timestamp!: Date;

  @Prop({ type: Boolean })
  isGift?: boolean;

  @Prop({ type: String })
  giftType?: string;

  @Prop({ type: Number })
  giftValue?: number;

  @Prop({ type: Date })
  deletedAt?: Date;
}

export const LiveCommentSchema = SchemaFactory.createForClass(LiveComment);

LiveCommentSchema.index({ streamId: 1, _id: -1 });
