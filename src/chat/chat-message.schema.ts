import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Types } from 'mongoose';
import type { ChatMessageType, RoomEvent } from '../contract/chat.js';
import { type Party, USER_TYPES, type UserType } from '../contract/identity.js';
import type { StoredMessage } from '../messaging/stored-message.js';

/** What a system message tells of. */
export interface StoredRoomEvent {
  event: RoomEvent;
  subject: Party;
  title?: string;
}

/**
 * A message as it is stored. Optional fields are absent when they have no value. Messages are written past Mongoose, for speed: of the
 * schema, the collection's name and the indexes are in force, and the services answer for the rest.
 */
@Schema({ collection: 'chatmessages', versionKey: false })
export class ChatMessage implements StoredMessage {
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
  content!: string;

  @Prop({ type: String, required: true })
  messageType!: ChatMessageType;

  @Prop({ type: String })
  clientMessageId?: string;

  @Prop({ type: Date, required: true })
  timestamp!: Date;

  /** Of a system message. */
  @Prop({ type: Object })
  roomEvent?: StoredRoomEvent;
}

export const ChatMessageSchema = SchemaFactory.createForClass(ChatMessage);

// Partial as those of direct messages are: the same queries bound `seq`.
ChatMessageSchema.index(
  { conversationId: 1, seq: 1 },
  { unique: true, partialFilterExpression: { seq: { $exists: true } } },
);
ChatMessageSchema.index(
  { senderType: 1, senderId: 1, clientMessageId: 1 },
  { unique: true, partialFilterExpression: { clientMessageId: { $exists: true } } },
);
// One's own newest message is far back when one is a silent member of a busy room.
ChatMessageSchema.index({ conversationId: 1, senderType: 1, senderId: 1, seq: -1 });
