import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** What is not to be pushed any more, for the nodes that may still try: a call whose ringing was cancelled, a message that was deleted. */
@Schema({ collection: 'pushcancels', versionKey: false })
export class PushCancel {
  /** The call's id; `message:` and the message's. */
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: Date, required: true })
  cancelledAt!: Date;
}

/** Seconds; longer than any call rings, and as long as a push of a message is tried again. */
const KEPT_SECONDS = 3600;

export const PushCancelSchema = SchemaFactory.createForClass(PushCancel);

PushCancelSchema.index({ cancelledAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });
