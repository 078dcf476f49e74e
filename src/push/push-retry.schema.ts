import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Types } from 'mongoose';
import type { CallCancelPushData, MessagePushData } from '../contract/push.js';

/**
 * A push that is to be tried again, by whichever node. Rings are not here: they carry a call token, which is never stored, and last a
 * minute, so the node that made them tries them again from its memory.
 */
@Schema({ collection: 'pushretries', versionKey: false })
export class PushRetry {
  _id!: Types.ObjectId;

  @Prop({ type: String, required: true })
  party!: string;

  /** Null: all devices of the party; the node was closed before it had read them. */
  @Prop({ type: String, default: null })
  deviceId!: string | null;

  /** With the beginning of a message's text: it stays until the push is sent or given up, or the message is deleted, an hour at the most. */
  @Prop({ type: Object, required: true })
  data!: MessagePushData | CallCancelPushData;

  /** Attempts so far. */
  @Prop({ type: Number, required: true })
  attempts!: number;

  /** When it is due. A node takes it by moving this on, so that no other does; should that node die, it is due again then. */
  @Prop({ type: Date, required: true })
  dueAt!: Date;

  @Prop({ type: Date, required: true })
  expiresAt!: Date;

  @Prop({ type: Date, required: true })
  retryUntil!: Date;
}

export const PushRetrySchema = SchemaFactory.createForClass(PushRetry);

PushRetrySchema.index({ dueAt: 1 });
PushRetrySchema.index({ party: 1, 'data.messageId': 1 });
// Content must not stay behind when no node is there to give it up.
PushRetrySchema.index({ retryUntil: 1 }, { expireAfterSeconds: 0 });
