import { Injectable } from '@nestjs/common';
import { type AgoraToken, AgoraTokenService } from '../agora/agora-token.service.js';
import type { CallTokenExpiringPayload } from '../contract/call.js';
import { PushService } from '../push/push.service.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { lateCallRoom, personalRoom, type Room } from '../realtime/rooms.js';
import type { Call } from './call.schema.js';
import {
  toAcceptPayload,
  toConnectedPayload,
  toEndPayload,
  toIncomingPayload,
  toRejectPayload,
  toTokenPayload,
} from './call.mapper.js';
import { calleeOf, callerOf, isRefusedAsBusy } from './call-rules.js';
import { type CallParty, isAnswered } from './call-state.js';
import { ToldCalls } from './told-calls.js';

/**
 * Tells the parties' devices of a call's newest transition (contract §4). What is told follows from the stored call alone, so that any node can
 * tell it, and tell it again: clients know a call by its id. Each event is encoded once, whatever the number of devices.
 */
@Injectable()
export class CallAnnouncer {
  constructor(
    private readonly emitter: EmitterService,
    private readonly push: PushService,
    private readonly agora: AgoraTokenService,
    private readonly told: ToldCalls,
  ) {}

  tell(call: Call): void {
    this.tellRooms(call);
    this.told.note(call);
  }

  private tellRooms(call: Call): void {
    switch (call.status) {
      case 'ringing':
        return this.tellRinging(call);
      case 'accepted':
        return this.tellAccepted(call);
      case 'connected':
        return this.tellConnected(call);
      case 'rejected':
        return this.tellRejected(call);
      default:
        return this.tellEnded(call);
    }
  }

  /** To one device of a party that has come meanwhile, what it has to know of a call that goes on. Whether it rings now. */
  tellLateDevice(call: Call, role: CallParty, socketId: string): boolean {
    const isRinging = call.status === 'ringing' && role === 'callee';
    if (isRinging)
      this.emitter.toSocket(socketId, 'call:incoming', toIncomingPayload(call, this.tokenFor(call)));
    if (isAnswered(call.status) && role === 'caller' && !isKnownToCaller(call))
      this.tellLateCaller(call, socketId);
    return isRinging;
  }

  /** To a device of the callee that rang while another one answered, and could not be told. */
  tellAnsweredElsewhere(call: Call, socketId: string): void {
    this.emitter.toSocket(socketId, 'call:end', toEndPayload(call, 'answered_elsewhere'));
  }

  /** The same of a call that is over. */
  tellEndToLateDevice(call: Call, role: CallParty, socketId: string): void {
    if (call.status === 'rejected' && role === 'caller')
      return this.emitter.toSocket(socketId, 'call:reject', toRejectPayload(call));
    const reason = call.status === 'rejected' ? 'declined_elsewhere' : (call.endReason ?? call.status);
    this.emitter.toSocket(socketId, 'call:end', toEndPayload(call, reason));
  }

  /** To a device that believes to be in the call, or that it rings. */
  endFor(call: Call, socketId: string): void {
    this.emitter.toSocket(socketId, 'call:end', toEndPayload(call, call.status));
  }

  /** The caller's devices have not learned which call it is that rings: the node that stored it died. */
  tellCaller(call: Call): void {
    const payload = toTokenPayload(call, this.tokenFor(call));
    this.emitter.toRooms([personalRoom(callerOf(call))], 'call:token', payload);
  }

  tellTokensExpire(call: Call, expiresAt: Date): void {
    const payload: CallTokenExpiringPayload = {
      callId: call._id.toHexString(),
      expiresAt: expiresAt.toISOString(),
    };
    this.emitter.toRooms(roomsOf(call), 'call:token_expiring', payload);
  }

  private tellLateCaller(call: Call, socketId: string): void {
    this.emitter.toSocket(socketId, 'call:accept', toAcceptPayload(call, this.tokenFor(call)));
    if (call.status === 'connected')
      this.emitter.toSocket(socketId, 'call:connected', toConnectedPayload(call, calleeOf(call)));
  }

  private tellRinging(call: Call): void {
    const incoming = toIncomingPayload(call, this.tokenFor(call));
    this.emitter.toRooms([personalRoom(calleeOf(call))], 'call:incoming', incoming);
    this.push.callRinging(calleeOf(call), { ...incoming, expiresAt: call.ringExpiresAt });
  }

  private tellAccepted(call: Call): void {
    const payload = toAcceptPayload(call, this.tokenFor(call));
    this.emitter.toRooms([personalRoom(callerOf(call))], 'call:accept', payload);
    this.endElsewhere(call, 'answered_elsewhere');
    this.push.callAnswered(payload.callId);
  }

  private tellConnected(call: Call): void {
    const [own, other] =
      call.lastActor === 'caller' ? [callerOf(call), calleeOf(call)] : [calleeOf(call), callerOf(call)];
    this.emitter.toRooms([personalRoom(other)], 'call:connected', toConnectedPayload(call, own));
  }

  private tellRejected(call: Call): void {
    if (isRefusedAsBusy(call)) return;
    this.emitter.toRooms([personalRoom(callerOf(call))], 'call:reject', toRejectPayload(call));
    this.endElsewhere(call, 'declined_elsewhere');
    this.push.callCancelled(calleeOf(call), call._id.toHexString());
  }

  private tellEnded(call: Call): void {
    const payload = toEndPayload(call, call.endReason ?? call.status);
    this.emitter.toRooms(roomsOf(call), 'call:end', payload, call.lastSocketId);
    if (call.acceptedAt === undefined) this.push.callCancelled(calleeOf(call), payload.callId);
  }

  /** To the callee's devices but the one that answered, which may have come back as another socket when this is told again. */
  private endElsewhere(call: Call, reason: string): void {
    const payload = toEndPayload(call, reason);
    const except = [
      lateCallRoom(payload.callId),
      ...(call.lastSocketId === undefined ? [] : [call.lastSocketId]),
    ];
    this.emitter.toRooms([personalRoom(calleeOf(call))], 'call:end', payload, except);
  }

  private tokenFor({ channelName }: Call): AgoraToken {
    return this.agora.publisherToken(channelName);
  }
}

function roomsOf(call: Call): Room[] {
  return [personalRoom(callerOf(call)), personalRoom(calleeOf(call))];
}

/** The caller has said something since the answer. */
function isKnownToCaller({ status, lastActor }: Call): boolean {
  return status === 'connected' && lastActor === 'caller';
}
