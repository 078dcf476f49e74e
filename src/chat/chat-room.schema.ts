import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { RoomEvent } from '../contract/chat.js';
import { type Identity, type Party, partyKey, partyOf, partyOfKey } from '../contract/identity.js';

/** Of one room, so that a room is one document and a message one broadcast. */
export const MAX_MEMBERS = 1000;

export interface RoomMember {
  /** `partyKey`; all admins are one. */
  key: string;
  joinedAt: Date;
  /** Messages of others that were there when they joined: not unread to them. */
  othersBefore: number;
  /** No pushes. */
  isMuted?: boolean;
}

/** A change that is stored and not told yet, in the same write as the change itself. */
export interface RoomNotice {
  /** The room's version after the change. */
  version: number;
  event: RoomEvent;
  actor: Identity;
  /** Whom it befell, with the name under which they were last here. */
  subject: Party & { name: string };
  title?: string;
  at: Date;
  /** On which it was asked for; it knows by its acknowledgement. */
  socketId?: string;
}

/**
 * A chat room with its members (contract §6). Every change of members or title is one write on condition that `version` is what it was when
 * the change was decided, and raises it. It is never deleted, so a version that is known says that nothing has changed.
 */
@Schema({ collection: 'chatrooms', versionKey: false })
export class ChatRoom {
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: Number, required: true })
  version!: number;

  @Prop({ type: String, default: '' })
  title!: string;

  /** `partyKey`; null when nobody is left. */
  @Prop({ type: String, default: null })
  owner!: string | null;

  /** In the order in which they joined; at most `MAX_MEMBERS`. */
  @Prop({
    type: [
      {
        _id: false,
        key: { type: String, required: true },
        joinedAt: { type: Date, required: true },
        othersBefore: { type: Number, required: true },
        isMuted: { type: Boolean },
      },
    ],
    required: true,
  })
  members!: RoomMember[];

  @Prop({ type: Number, required: true })
  memberCount!: number;

  /** `partyKey`, and what the creator called it: a retry makes no second room. */
  @Prop({ type: String, required: true })
  creator!: string;

  @Prop({ type: String })
  clientRoomId?: string;

  /** What is to be told, oldest first; absent when nothing is. */
  @Prop({ type: [Object], default: undefined })
  notices?: RoomNotice[];

  @Prop({ type: Date, required: true })
  createdAt!: Date;

  /** When it was last written to, by a message, read mark or change; the database's clock. */
  @Prop({ type: Date, required: true })
  updatedAt!: Date;

  /** `lastMessageAt`, or `createdAt` before the first message: rooms are listed in this order. */
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
}

export const ChatRoomSchema = SchemaFactory.createForClass(ChatRoom);

ChatRoomSchema.index({ 'members.key': 1, activeAt: -1, _id: -1 });
ChatRoomSchema.index({ 'members.key': 1, updatedAt: -1, _id: -1 });
ChatRoomSchema.index({ 'notices.at': 1 }, { partialFilterExpression: { 'notices.at': { $exists: true } } });
ChatRoomSchema.index(
  { creator: 1, clientRoomId: 1 },
  { unique: true, partialFilterExpression: { clientRoomId: { $exists: true } } },
);

export function newMember(key: string, othersBefore = 0): RoomMember {
  return { key, joinedAt: new Date(), othersBefore };
}

export function memberOf({ members }: Pick<ChatRoom, 'members'>, user: Party): RoomMember | undefined {
  const own = partyKey(partyOf(user));
  return members.find(({ key }) => key === own);
}

export function ownerOf({ owner }: Pick<ChatRoom, 'owner'>): Party | null {
  return owner === null ? null : partyOfKey(owner);
}
