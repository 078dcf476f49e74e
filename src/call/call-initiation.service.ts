import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { type AgoraToken, AgoraTokenService } from '../agora/agora-token.service.js';
import { isChannelName, newChannelName, RESERVED_PREFIX } from '../agora/channel-name.js';
import { AppConfig } from '../config/config.js';
import type { CallInitiatedPayload } from '../contract/call.js';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyKey, partyOf } from '../contract/identity.js';
import { BlockService } from '../messaging/block.service.js';
import { canonicalConversationId } from '../messaging/conversation-id.js';
import { PresenceService } from '../presence/presence.service.js';
import { EmitterService } from '../realtime/emitter.service.js';
import type { InitiateCallDto } from './call.dto.js';
import { toTokenPayload } from './call.mapper.js';
import { CallRepository } from './call.repository.js';
import type { Call } from './call.schema.js';
import { CallFollowUpService } from './call-follow-up.service.js';
import { calleeOf, callerOf, isRingOver } from './call-rules.js';
import { CallTimes } from './call-times.js';
import { CallTransitions } from './call-transitions.service.js';

/** An answer that comes later nobody waits for any more; see the dispatcher's deadline. Milliseconds. */
const ANSWER_IN_TIME_MS = 4300;
/** Between two tries to take back a call that nobody knows of. */
const TAKE_BACK_MS = 1000;
/** So often the database may say that there is no such call. */
const MAX_UNKNOWN = 10;
/** Calls that ended while this one looked at them; another one each time would be an attack. */
const MAX_TRIES = 5;

/**
 * Making a phone ring (contract §4).
 *
 * Database round trips before the ack: 1, the insert; 1 more for a pair whose block is not known, 1 for a channel that the client names, and
 * 2 for a busy party (who occupies it, and the refused call). After it 1. With several nodes, one Redis command for a callee who has no socket on this one.
 */
@Injectable()
export class CallInitiationService {
  constructor(
    private readonly config: AppConfig,
    private readonly calls: CallRepository,
    private readonly followUp: CallFollowUpService,
    private readonly transitions: CallTransitions,
    private readonly times: CallTimes,
    private readonly agora: AgoraTokenService,
    private readonly blocks: BlockService,
    private readonly presence: PresenceService,
    private readonly emitter: EmitterService,
  ) {}

  /**
   * Stores the call, rings the callee's devices, and gives the caller its token.
   * @throws AppError FORBIDDEN for a pair that may not talk, or when the callee has blocked the caller; BAD_REQUEST for a channel's name that
   *   Agora does not take, CONFLICT for one that was used; BUSY with `details.callId`, the refused call; CONFLICT with `details.callId` when
   *   the callee is ringing the caller (glare): that call may be accepted; AGORA_NOT_CONFIGURED; UNAVAILABLE
   */
  async initiate(user: Identity, socketId: string, dto: InitiateCallDto): Promise<CallInitiatedPayload> {
    const arrivedAt = performance.now();
    const callee = partyOf({ id: dto.recipientId, type: dto.recipientType });
    // Who may write to each other may call each other.
    canonicalConversationId(partyOf(user), callee);
    const channelName = await this.channelFor(dto);
    const token = this.agora.publisherToken(channelName);
    await this.blocks.assertNotBlocked(partyOf(user), callee);
    const recipientOnline = await this.presence.isOnline(callee);
    const call = this.ringing(user, callee, dto, channelName);
    await this.storeInTime(call, socketId, arrivedAt);
    return this.begin(call, socketId, token, recipientOnline);
  }

  /** A client's name is taken when nobody uses it: a token for it is one to broadcast there. */
  private async channelFor({ channelName }: InitiateCallDto): Promise<string> {
    if (typeof channelName !== 'string') return newChannelName();
    if (!isChannelName(channelName) || channelName.startsWith(RESERVED_PREFIX))
      throw AppError.badField('channelName', 'channelName must be a name that Agora takes, under 64 bytes');
    if (await this.calls.isChannelTaken(channelName)) throw channelUsed();
    return channelName;
  }

  /** A call of which its caller does not learn must not ring: it would stand in the way of the next try. */
  private async storeInTime(call: Call, socketId: string, arrivedAt: number): Promise<void> {
    try {
      await this.store(call, socketId);
    } catch (error) {
      if (!(error instanceof AppError)) void this.takeBack(call);
      throw error;
    }
    if (performance.now() - arrivedAt < ANSWER_IN_TIME_MS) return;
    void this.takeBack(call);
    throw new AppError('UNAVAILABLE', 'The server did not finish in time. Try again.');
  }

  /** Until the database has taken it back. What it does not know may still be on its way there. Never rejects. */
  private async takeBack(call: Call): Promise<void> {
    let unknown = 0;
    while (unknown < MAX_UNKNOWN && Date.now() < call.ringExpiresAt.getTime()) {
      try {
        if ((await this.transitions.apply(call, 'fail')) !== null) return;
        unknown += 1;
      } catch {
        // The database is away: its caller was told so.
      }
      await wait(TAKE_BACK_MS, undefined, { ref: false });
    }
  }

  private begin(
    call: Call,
    socketId: string,
    token: AgoraToken,
    recipientOnline: boolean,
  ): CallInitiatedPayload {
    const payload = toTokenPayload(call, token);
    this.emitter.toSocket(socketId, 'call:token', payload);
    this.followUp.start(call);
    const ringTimeoutMs = Math.max(0, call.ringExpiresAt.getTime() - Date.now());
    return { ...payload, status: 'ringing', ringTimeoutMs, recipientOnline };
  }

  private ringing(user: Identity, callee: Party, { callType }: InitiateCallDto, channelName: string): Call {
    const caller = partyOf(user);
    const now = Date.now();
    const ringExpiresAt = new Date(now + this.config.call.ringTimeoutMs);
    const parties = [partyKey(caller), partyKey(callee)];
    return {
      _id: new Types.ObjectId(),
      callerId: caller.id,
      callerType: caller.type,
      callerName: user.name,
      callerAvatar: user.avatar,
      recipientId: callee.id,
      recipientType: callee.type,
      callType,
      channelName,
      status: 'ringing',
      parties,
      open: parties,
      occupied: [caller, callee].filter(({ type }) => type !== 'admin').map(partyKey),
      startedAt: new Date(now),
      ringExpiresAt,
      ringDue: ringExpiresAt,
      presenceDue: new Date(now + this.times.callerReturnMs),
      followUpDue: new Date(now + this.times.followUpMs),
    };
  }

  /** That nobody is in two calls is the index's to say; who is in its way is asked only then. */
  private async store(call: Call, socketId: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const obstacle = await this.calls.insert(call);
      if (obstacle === undefined) return;
      if (obstacle === 'channelName') throw channelUsed();
      const isStillThere = await this.lookAtObstacles(call);
      if (isStillThere || tries >= MAX_TRIES) throw await this.busy(call, socketId);
    }
  }

  /** @throws AppError CONFLICT when the callee rings the caller */
  private async lookAtObstacles(call: Call): Promise<boolean> {
    const others = await this.calls.findOccupying([callerOf(call), calleeOf(call)]);
    const now = new Date();
    const overdue = others.filter((other) => isRingOver(other, now));
    for (const other of overdue) await this.transitions.apply(other, 'ring-timeout');
    const rest = others.filter((other) => !isRingOver(other, now));
    const glare = rest.find((other) => other.status === 'ringing' && isReverse(other, call));
    if (glare !== undefined) {
      const details = { state: glare.status, callId: glare._id.toHexString() };
      throw new AppError('CONFLICT', 'They are calling you: accept that call.', details);
    }
    return rest.length > 0;
  }

  /** The attempt is stored, too: it leaves its log like every call. */
  private async busy(
    { open: _open, occupied: _occupied, ...call }: Call,
    socketId: string,
  ): Promise<AppError> {
    const { ringDue: _ringDue, presenceDue: _presenceDue, ...rest } = call;
    const refused: Call = {
      ...rest,
      status: 'rejected',
      ringExpiresAt: call.startedAt,
      endedAt: new Date(),
      duration: 0,
      endReason: 'busy',
    };
    if ((await this.calls.insert(refused)) !== undefined) return channelUsed();
    const callId = refused._id.toHexString();
    this.emitter.toSocket(socketId, 'call:reject', { callId, contactId: call.recipientId, reason: 'busy' });
    this.followUp.start(refused);
    return new AppError('BUSY', 'One of the two is in a call.', { callId });
  }
}

function isReverse(other: Call, call: Call): boolean {
  return isSameParty(callerOf(other), calleeOf(call)) && isSameParty(calleeOf(other), callerOf(call));
}

function channelUsed(): AppError {
  return new AppError('CONFLICT', 'This channelName was used before: leave it out, or make a new one.');
}
