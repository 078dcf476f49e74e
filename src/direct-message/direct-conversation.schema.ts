import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { type Party, USER_TYPES } from '../contract/identity.js';

/** A conversation of two parties, which never change. */
@Schema({ collection: 'directconversations', versionKey: false })
export class DirectConversation {
  @Prop({ type: String })
  _id!: string;

  @Prop({
    type: [
      {
        _id: false,
        id: { type: String, required: true },
        type: { type: String, required: true, enum: USER_TYPES },
      },
    ],
    required: true,
  })
  participants!: Party[];

  @Prop({ type: Date, required: true })
  createdAt!: Date;

  /** The newest message's text, time and seq; they never step back. */
  @Prop({ type: String })
  lastMessage?: string;

  @Prop({ type: Date })
  lastMessageAt?: Date;

  @Prop({ type: Number })
  lastSeq?: number;
}

export const DirectConversationSchema = SchemaFactory.createForClass(DirectConversation);
