import { type CallParty, isAnswered } from './call-state.js';
import type { Call } from './call.schema.js';
import type { Types } from 'mongoose';
import type { CallState } from '../contract/call.js';
import { AppError } from '../contract/errors.js';
import { isSameParty, type Party } from '../contract/identity.js';

export function callerOf({ callerId, callerType }: Call): Party {
  return { id: callerId, type: callerType };
}

export function calleeOf({ recipientId, recipientType }: Call): Party {
  return { id: recipientId, type: recipientType };
}

export function partyIn(call: Call, role: CallParty): Party {
  return role === 'caller' ? callerOf(call) : calleeOf(call);
}

/** Of somebody who is one of the two. */
export function roleIn(call: Call, party: Party): CallParty {
  return isSameParty(callerOf(call), party) ? 'caller' : 'callee';
}

/** Whole seconds of talk up to `now`: from the first `connected`, or from the answer when nobody said so (contract §4). */
export function durationAt({ acceptedAt, connectedAt }: Call, now: Date): number {
  const from = connectedAt ?? acceptedAt;
  return from === undefined ? 0 : Math.max(0, Math.floor((now.getTime() - from.getTime()) / 1000));
}

/** A reject, accept or cancel at or after it is a miss, whoever comes first (contract §4). */
export function isRingOver({ status, ringExpiresAt }: Call, now: Date): boolean {
  return status === 'ringing' && ringExpiresAt <= now;
}

/** The socket is in the call, because it answered it. */
export function isInCall({ status, answeredBy }: Call, socketId: string): boolean {
  return answeredBy === socketId && isAnswered(status);
}

/** A call that met a busy party: nobody was rung, and its caller learns of it from the refusal. */
export function isRefusedAsBusy({ status, lastActor }: Call): boolean {
  return status === 'rejected' && lastActor === undefined;
}

/** For a call that does not exist and for one of others: the two look the same. */
export function callNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such call.');
}

export function callConflict(callId: Types.ObjectId, state: CallState): AppError {
  return new AppError('CONFLICT', 'The call is in another state.', {
    state,
    callId: callId.toHexString(),
  });
}
