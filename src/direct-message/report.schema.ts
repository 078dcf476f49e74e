import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Types } from 'mongoose';
import { USER_TYPES, type UserType } from '../contract/identity.js';
import type { DirectMessage } from './direct-message.schema.js';

/** Somebody's complaint about a message. It is never changed. */
@Schema({ collection: 'dmreports', versionKey: false })
export class Report {
  @Prop({ type: Types.ObjectId })
  _id!: Types.ObjectId;

  @Prop({ type: Types.ObjectId, required: true })
  messageId!: Types.ObjectId;

  @Prop({ type: String, required: true })
  conversationId!: string;

  @Prop({ type: String, required: true })
  reporterId!: string;

  @Prop({ type: String, required: true, enum: USER_TYPES })
  reporterType!: UserType;

  @Prop({ type: String, required: true })
  reason!: string;

  /** As it was stored when it was reported; what becomes of the message later does not touch it. */
  @Prop({ type: Object, required: true })
  message!: DirectMessage;

  @Prop({ type: Date, required: true })
  createdAt!: Date;
}

export const ReportSchema = SchemaFactory.createForClass(Report);

ReportSchema.index({ messageId: 1, reporterType: 1, reporterId: 1 }, { unique: true });
