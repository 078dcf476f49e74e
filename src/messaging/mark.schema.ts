import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { type Party, partyKey } from '../contract/identity.js';

/** How far one participant has come in one conversation. Both marks only go forward. */
@Schema({ versionKey: false })
export class Mark {
  /** `markId`: one document for each participant of a conversation. */
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: String, required: true })
  conversationId!: string;

  @Prop({ type: Object, required: true })
  party!: Party;

  /** Everything up to here is read; 0 before the first read. */
  @Prop({ type: Number, required: true })
  readSeq!: number;

  /**
   * How many messages of others are read: with it an unread count is a difference, not a count. Those up to `readSeq`; more where a
   * migration found former messages read behind ones that were not.
   */
  @Prop({ type: Number, required: true })
  readOthers!: number;

  /** When the read mark last moved. */
  @Prop({ type: Date })
  readAt?: Date;

  /** Never below `readSeq`: what was read was delivered. */
  @Prop({ type: Number, required: true })
  deliveredSeq!: number;
}

export const MarkSchema = SchemaFactory.createForClass(Mark);

export function markId(party: Party, conversationId: string): string {
  return `${partyKey(party)} ${conversationId}`;
}
