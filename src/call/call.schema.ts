import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import { CALL_STATES, CALL_TYPES, type CallState, type CallType } from '../contract/call.js';
import { USER_TYPES, type UserType } from '../contract/identity.js';

/**
 * A call (contract §4), in the former backend's collection and under its names. What a state needs is set by the transition into it; optional
 * fields are absent when they have no value. Tokens are never stored.
 */
@Schema({ collection: 'calls', versionKey: false })
export class Call {
  _id!: Types.ObjectId;

  /** All admins are one party. */
  @Prop({ type: String, required: true })
  callerId!: string;

  @Prop({ type: String, required: true, enum: USER_TYPES })
  callerType!: UserType;

  @Prop({ type: String, default: '' })
  callerName!: string;

  @Prop({ type: String, default: '' })
  callerAvatar!: string;

  @Prop({ type: String, required: true })
  recipientId!: string;

  @Prop({ type: String, required: true, enum: USER_TYPES })
  recipientType!: UserType;

  @Prop({ type: String, required: true, enum: CALL_TYPES })
  callType!: CallType;

  @Prop({ type: String, required: true })
  channelName!: string;

  @Prop({ type: String, required: true, enum: CALL_STATES })
  status!: CallState;

  /** `partyKey` of caller and callee; a call of the former backend has none, and is not seen. */
  @Prop({ type: [String], default: undefined })
  parties!: string[];

  /** The same while the call is open. */
  @Prop({ type: [String], default: undefined })
  open?: string[];

  /** Those of them who can be in one call only, while it is open: the unique index over it is that rule. Admins are never busy. */
  @Prop({ type: [String], default: undefined })
  occupied?: string[];

  @Prop({ type: Date, required: true })
  startedAt!: Date;

  /** The end of the ringing. */
  @Prop({ type: Date, required: true })
  ringExpiresAt!: Date;

  @Prop({ type: Date })
  acceptedAt?: Date;

  @Prop({ type: Date })
  connectedAt?: Date;

  @Prop({ type: Date })
  endedAt?: Date;

  /** Whole seconds, of a finished call. */
  @Prop({ type: Number })
  duration?: number;

  @Prop({ type: String })
  endReason?: string;

  /** Who made the newest transition: the socket is not told of what it did itself. Absent when it was the server. */
  @Prop({ type: String })
  lastActor?: 'caller' | 'callee';

  @Prop({ type: String })
  lastSocketId?: string;

  /** The callee's socket that accepted. */
  @Prop({ type: String })
  answeredBy?: string;

  /** When the parties' newest tokens run out, of an answered call. */
  @Prop({ type: Date })
  callerTokenExpiresAt?: Date;

  @Prop({ type: Date })
  calleeTokenExpiresAt?: Date;

  /** The parties were told that tokens which run out up to here do so. */
  @Prop({ type: Date })
  tokensNotedUntil?: Date;

  /** Deadlines. Each is claimed by a compare-and-set on its own value. Absent: nothing is to be done. */
  @Prop({ type: Date })
  ringDue?: Date;

  /** When to look whether the parties are still there. */
  @Prop({ type: Date })
  presenceDue?: Date;

  /** When to tell of a token that runs out, or to end a call whose tokens all have. */
  @Prop({ type: Date })
  tokenDue?: Date;

  /** When another node tells the parties of the newest transition, because the one that made it has not said that it did. */
  @Prop({ type: Date })
  followUpDue?: Date;
}

export const CallSchema = SchemaFactory.createForClass(Call);

export const DEADLINES = ['ringDue', 'presenceDue', 'tokenDue', 'followUpDue'] as const;

export type Deadline = (typeof DEADLINES)[number];

// Partial, because of the former backend's calls, and because most calls are over.
const where = (field: keyof Call) => ({ partialFilterExpression: { [field]: { $exists: true } } });

CallSchema.index({ occupied: 1 }, { unique: true, ...where('occupied') });
CallSchema.index({ open: 1, _id: -1 }, where('open'));
CallSchema.index({ channelName: 1 }, { unique: true, ...where('parties') });
CallSchema.index({ parties: 1, _id: -1 });
CallSchema.index({ parties: 1, endedAt: -1 }, where('parties'));
// Of all calls, the former backend's too: their channels may be in use.
CallSchema.index({ channelName: 1, _id: 1 });
for (const deadline of DEADLINES) CallSchema.index({ [deadline]: 1 }, where(deadline));
