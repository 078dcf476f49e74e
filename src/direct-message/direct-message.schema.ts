import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Types } from 'mongoose';
import type { CallLogStatus, CallType } from '../contract/call.js';
import { MESSAGE_STATUSES, type MessageStatus, type MessageType } from '../contract/direct-message.js';
import { type Party, USER_TYPES, type UserType } from '../contract/identity.js';
import type { StoredMessage } from '../messaging/stored-message.js';

export interface StoredReaction extends Party {
  emoji: string;
}

/**
 * A message as it is stored. Optional fields are absent when they have no value. Messages are written past Mongoose, for speed: of the
 * schema, the collection's name and the indexes are in force, and the service answers for the rest.
 */
@Schema({ collection: 'directmessages', versionKey: false })
export class DirectMessage implements StoredMessage {
  _id!: Types.ObjectId;

  @Prop({ type: String, required: true })
  conversationId!: string;

  @Prop({ type: Number, required: true })
  seq!: number;

  @Prop({ type: Number, required: true })
  senderSeq!: number;

  @Prop({ type: String, required: true })
  senderId!: string;

  @Prop({ type: String, required: true, enum: USER_TYPES })
  senderType!: UserType;

  @Prop({ type: String, default: '' })
  senderName!: string;

  @Prop({ type: String, default: '' })
  senderAvatar!: string;

  @Prop({ type: String, required: true })
  recipientId!: string;

  @Prop({ type: String, required: true, enum: USER_TYPES })
  recipientType!: UserType;

  @Prop({ type: String, default: '' })
  content!: string;

  @Prop({ type: String, required: true })
  messageType!: MessageType;

  @Prop({ type: String })
  mediaUrl?: string;

  @Prop({ type: Number })
  mediaSize?: number;

  @Prop({ type: Number })
  mediaDuration?: number;

  @Prop({ type: String })
  thumbnailUrl?: string;

  @Prop({ type: Types.ObjectId })
  replyToId?: Types.ObjectId;

  /** Of a call log, as the three after it. */
  @Prop({ type: String })
  callId?: string;

  @Prop({ type: String })
  callType?: CallType;

  @Prop({ type: String })
  callStatus?: CallLogStatus;

  @Prop({ type: Number })
  callDuration?: number;

  @Prop({ type: String })
  clientMessageId?: string;

  @Prop({ type: Date, required: true })
  timestamp!: Date;

  @Prop({ type: String, required: true, enum: MESSAGE_STATUSES })
  status!: MessageStatus;

  /** How often it was changed; absent: never. An older version of a message never replaces a newer one. */
  @Prop({ type: Number })
  revision?: number;

  @Prop({ type: Date })
  editedAt?: Date;

  /** With it content, media and reactions are gone. */
  @Prop({ type: Date })
  deletedAt?: Date;

  @Prop({ type: Object })
  deletedBy?: Party;

  @Prop({ type: [Object], default: undefined })
  reactions?: StoredReaction[];
}

export const DirectMessageSchema = SchemaFactory.createForClass(DirectMessage);

// Partial, because a former backend left messages without these fields in the same collection.
DirectMessageSchema.index(
  { conversationId: 1, seq: 1 },
  { unique: true, partialFilterExpression: { seq: { $exists: true } } },
);
DirectMessageSchema.index(
  { senderType: 1, senderId: 1, clientMessageId: 1 },
  { unique: true, partialFilterExpression: { clientMessageId: { $exists: true } } },
);
