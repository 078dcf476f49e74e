import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { MessageType } from '../contract/direct-message.js';
import { type Party, USER_TYPES, type UserType } from '../contract/identity.js';

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

  /** `memberKey` of both participants, for the index of one's own conversations. */
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

  /** 0 before the first message. */
  @Prop({ type: Number, required: true })
  lastSeq!: number;

  /** The newest message's text and time. */
  @Prop({ type: String })
  lastMessage?: string;

  @Prop({ type: Date })
  lastMessageAt?: Date;

  @Prop({ type: String })
  lastMessageType?: MessageType;

  @Prop({ type: String })
  lastSenderId?: string;

  @Prop({ type: String, enum: USER_TYPES })
  lastSenderType?: UserType;

  /** The newest message's `senderSeq`. */
  @Prop({ type: Number })
  lastSenderSeq?: number;

  /** The newest message's `revision`; 0 when it was never changed. */
  @Prop({ type: Number })
  lastRevision?: number;
}

export const DirectConversationSchema = SchemaFactory.createForClass(DirectConversation);

DirectConversationSchema.index({ members: 1, activeAt: -1, _id: -1 });
DirectConversationSchema.index({ members: 1, updatedAt: -1, _id: -1 });

/** A participant as one text. Ids contain no spaces and types no colons, so no two parties share one. */
export function memberKey({ id, type }: Party): string {
  return `${type}:${id}`;
}
