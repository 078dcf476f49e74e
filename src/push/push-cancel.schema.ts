import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** A call whose ringing was cancelled, for the nodes that may still be trying to make it ring. */
@Schema({ collection: 'pushcancels', versionKey: false })
export class PushCancel {
  /** The call's id. */
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: Date, required: true })
  cancelledAt!: Date;
}

/** Seconds; longer than any call rings. */
const KEPT_SECONDS = 3600;

export const PushCancelSchema = SchemaFactory.createForClass(PushCancel);

PushCancelSchema.index({ cancelledAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });
