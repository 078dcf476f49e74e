import { createHash } from 'node:crypto';
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { PUSH_PLATFORMS, type PushPlatform } from '../contract/push.js';

/** A device that pushes go to. It belongs to one party at a time. */
@Schema({ collection: 'pushdevices', versionKey: false })
export class PushDevice {
  /** `deviceIdOf` its token: so a token is there once, and what refers to a device need not hold the token. */
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: String, required: true })
  token!: string;

  /** `partyKey` of whom it belongs to; all admins are one. */
  @Prop({ type: String, required: true })
  party!: string;

  @Prop({ type: String, required: true, enum: PUSH_PLATFORMS })
  platform!: PushPlatform;

  /** The last registration; the database's clock. */
  @Prop({ type: Date, required: true })
  registeredAt!: Date;
}

export const PushDeviceSchema = SchemaFactory.createForClass(PushDevice);

PushDeviceSchema.index({ party: 1, registeredAt: -1, _id: -1 });

export function deviceIdOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
