import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { type Party, USER_TYPES } from '../contract/identity.js';

/** A conversation of two parties, which never change. What it says of its newest message never steps back. */
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

  /** `partyKey` of those who see it among their conversations: before the first message only who opened it, then both. */
  @Prop({ type: [String], required: true })
  members!: string[];

  @Prop({ type: Date, required: true })
  createdAt!: Date;

  /** When it was last written to, by a message, mark, edit, deletion or reaction; the database's clock. */
  @Prop({ type: Date, required: true })
  updatedAt!: Date;

  /** `lastMessageAt`, or `createdAt` before the first message: conversations are listed in this order. */
  @Prop({ type: Date, required: true })
  activeAt!: Date;

  /** Of the newest message that was noted; 0 before the first one. It follows the messages, so it may be behind them. */
  @Prop({ type: Number, required: true })
  lastSeq!: number;

  /** The text and time of the message at `lastSeq`. */
  @Prop({ type: String })
  lastMessage?: string;

  @Prop({ type: Date })
  lastMessageAt?: Date;

  /** The `revision` of the message at `lastSeq`; absent when that was never changed. */
  @Prop({ type: Number })
  lastRevision?: number;
}

export const DirectConversationSchema = SchemaFactory.createForClass(DirectConversation);

DirectConversationSchema.index({ members: 1, activeAt: -1, _id: -1 });
DirectConversationSchema.index({ members: 1, updatedAt: -1, _id: -1 });
