import type { UserType } from './identity.js';

export const CALL_TYPES = ['voice', 'video'] as const;

export type CallType = (typeof CALL_TYPES)[number];

/**
 * Contract §4. A call is stored when it rings, so `initiated` is of calls that a former backend stored; `failed` are those of which their
 * caller could not be told. `rejected`, `missed`, `cancelled`, `ended` and `failed` are final.
 */
export const CALL_STATES = [
  'initiated',
  'ringing',
  'accepted',
  'connected',
  'ended',
  'rejected',
  'missed',
  'cancelled',
  'failed',
] as const;

export type CallState = (typeof CALL_STATES)[number];

/** How a finished call stands in the conversation of its parties. */
export type CallLogStatus = 'completed' | 'missed' | 'declined' | 'cancelled';

/** What a device needs to join the call's media. */
export interface CallMedia {
  agoraToken: string;
  agoraAppId: string;
  channelName: string;
  /** Both parties join with it; Agora gives each a number of its own. */
  uid: 0;
}

/** `call:token`, to the caller of a new call and to a party that asks. */
export interface CallTokenPayload extends CallMedia {
  callId: string;
  /** ISO 8601: the end of the token. */
  expiresAt: string;
}

/** The ack of `call:initiate`. */
export interface CallInitiatedPayload extends CallTokenPayload {
  status: 'ringing';
  /** Milliseconds from now until the call counts as missed. */
  ringTimeoutMs: number;
  /** Whether the callee has a socket on any node. */
  recipientOnline: boolean;
}

/** `call:incoming`. */
export interface CallIncomingPayload extends CallMedia {
  callId: string;
  callerId: string;
  callerName: string;
  callerType: UserType;
  callerAvatar: string;
  callType: CallType;
  /** ISO 8601: the end of the ringing. */
  expiresAt: string;
}

/** `call:accept`, to the caller. */
export interface CallAcceptPayload extends CallMedia {
  callId: string;
  /** The callee. */
  contactId: string;
  /** ISO 8601: the end of the token. */
  expiresAt: string;
}

/** The ack of `call:accept`, to the callee's device that accepted. */
export interface CallAcceptedPayload extends CallTokenPayload {
  status: 'accepted';
}

/** `call:reject`, to the caller. */
export interface CallRejectPayload {
  callId: string;
  /** The callee. */
  contactId: string;
  /** `declined`, `busy`, or the callee's own word. */
  reason: string;
}

/** `call:connected`, to the other party. */
export interface CallConnectedPayload {
  callId: string;
  /** Who is connected. */
  contactId: string;
}

/** `call:end`: a device that rings or talks stops. */
export interface CallEndPayload {
  callId: string;
  /** Whole seconds of talk, by the server's clock; 0 when there was none. */
  duration: number;
  /**
   * `missed`, `cancelled`, `failed`, `answered_elsewhere`, `declined_elsewhere`, `ended`, `network_error`, `token_expired`, the word of the
   * party that ended it, or, after a refused `call:accept`, the state that the call is in.
   */
  reason: string;
}

/** `call:token_expiring`, to both parties. */
export interface CallTokenExpiringPayload {
  callId: string;
  /** ISO 8601: when the first of the parties' tokens runs out. */
  expiresAt: string;
}

/** The ack of `call:reject`, `call:connected` and `call:end`: what became of the call. */
export interface CallOutcomePayload {
  callId: string;
  status: CallState;
  /** Whole seconds of talk so far; final when the call is. */
  duration: number;
}

/** A call as its parties see it: `call:state`, and each entry of `call:history`. */
export interface CallPayload extends CallOutcomePayload {
  callerId: string;
  callerType: UserType;
  callerName: string;
  callerAvatar: string;
  recipientId: string;
  recipientType: UserType;
  callType: CallType;
  channelName: string;
  /** ISO 8601: when it began to ring. */
  startedAt: string;
  /** ISO 8601: the end of the ringing. */
  ringExpiresAt: string;
  /** ISO 8601, or null. */
  acceptedAt: string | null;
  connectedAt: string | null;
  endedAt: string | null;
  /** Why it ended; null while it has not. */
  endReason: string | null;
}

/** The ack of `call:state`. */
export interface CallStatePayload {
  /** Null when one is in no call and asked for none. */
  call: CallPayload | null;
}

/** The ack of `call:history`. */
export interface CallHistoryPayload {
  /** Newest first. */
  calls: CallPayload[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
}
