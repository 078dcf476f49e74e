import type { AgoraToken } from '../agora/agora-token.service.js';
import type {
  CallAcceptPayload,
  CallConnectedPayload,
  CallEndPayload,
  CallIncomingPayload,
  CallMedia,
  CallOutcomePayload,
  CallPayload,
  CallRejectPayload,
  CallTokenPayload,
} from '../contract/call.js';
import type { Party } from '../contract/identity.js';
import type { Call } from './call.schema.js';
import { durationAt } from './call-rules.js';

function toMedia({ agoraToken, agoraAppId, channelName, uid }: AgoraToken): CallMedia {
  return { agoraToken, agoraAppId, channelName, uid };
}

export function toTokenPayload({ _id }: Call, token: AgoraToken): CallTokenPayload {
  return { callId: _id.toHexString(), ...toMedia(token), expiresAt: token.expiresAt.toISOString() };
}

/** @param token the callee's */
export function toIncomingPayload(call: Call, token: AgoraToken): CallIncomingPayload {
  return {
    callId: call._id.toHexString(),
    callerId: call.callerId,
    callerName: call.callerName,
    callerType: call.callerType,
    callerAvatar: call.callerAvatar,
    callType: call.callType,
    ...toMedia(token),
    expiresAt: call.ringExpiresAt.toISOString(),
  };
}

/** @param token the caller's */
export function toAcceptPayload(call: Call, token: AgoraToken): CallAcceptPayload {
  return {
    callId: call._id.toHexString(),
    contactId: call.recipientId,
    ...toMedia(token),
    expiresAt: token.expiresAt.toISOString(),
  };
}

/** @param who is connected */
export function toConnectedPayload({ _id }: Call, who: Party): CallConnectedPayload {
  return { callId: _id.toHexString(), contactId: who.id };
}

export function toRejectPayload({ _id, recipientId, endReason }: Call): CallRejectPayload {
  return { callId: _id.toHexString(), contactId: recipientId, reason: endReason ?? 'declined' };
}

export function toEndPayload(call: Call, reason: string): CallEndPayload {
  return { callId: call._id.toHexString(), duration: durationOf(call), reason };
}

export function toOutcome(call: Call): CallOutcomePayload {
  return { callId: call._id.toHexString(), status: call.status, duration: durationOf(call) };
}

/** A stored call as its parties see it: every field is there, null where it has no value. */
export function toPayload(call: Call): CallPayload {
  return {
    ...toOutcome(call),
    callerId: call.callerId,
    callerType: call.callerType,
    callerName: call.callerName,
    callerAvatar: call.callerAvatar,
    recipientId: call.recipientId,
    recipientType: call.recipientType,
    callType: call.callType,
    channelName: call.channelName,
    startedAt: call.startedAt.toISOString(),
    ringExpiresAt: call.ringExpiresAt.toISOString(),
    acceptedAt: call.acceptedAt?.toISOString() ?? null,
    connectedAt: call.connectedAt?.toISOString() ?? null,
    endedAt: call.endedAt?.toISOString() ?? null,
    endReason: call.endReason ?? null,
  };
}

function durationOf(call: Call): number {
  return call.duration ?? durationAt(call, new Date());
}
