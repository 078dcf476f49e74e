import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { AgoraTokenService } from '../agora/agora-token.service.js';
import { AppConfig } from '../config/config.js';
import type { CallTokenPayload } from '../contract/call.js';
import { AppError } from '../contract/errors.js';
import { type Identity, type Party, partyOf } from '../contract/identity.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { CallAnnouncer } from './call-announcer.js';
import type { CallTokenDto } from './call.dto.js';
import { toTokenPayload } from './call.mapper.js';
import { CallRepository } from './call.repository.js';
import type { Call } from './call.schema.js';
import { callConflict, callNotFound, isRingOver, roleIn } from './call-rules.js';
import { isAnswered, isFinal } from './call-state.js';
import { CallTimes } from './call-times.js';
import { CallTransitions } from './call-transitions.service.js';
import { tokenDeadline } from './token-deadline.js';

/** How often a deadline that somebody else moved is computed anew. */
const MAX_TRIES = 5;

/** Fresh tokens for a call that goes on, and what happens when they run out (contract §4). */
@Injectable()
export class CallTokensService {
  constructor(
    private readonly config: AppConfig,
    private readonly calls: CallRepository,
    private readonly agora: AgoraTokenService,
    private readonly emitter: EmitterService,
    private readonly announcer: CallAnnouncer,
    private readonly transitions: CallTransitions,
    private readonly times: CallTimes,
  ) {}

  /**
   * A token for the call's own channel, to the socket as `call:token` and in the ack. Two round trips; one while the call rings.
   * @throws AppError NOT_FOUND for outsiders; BAD_REQUEST for another channel; CONFLICT when the call is over; AGORA_NOT_CONFIGURED; UNAVAILABLE
   */
  async refresh(
    user: Identity,
    socketId: string,
    { callId, channelName }: CallTokenDto,
  ): Promise<CallTokenPayload> {
    const own = partyOf(user);
    const call = await this.read(own, callId);
    if (typeof channelName === 'string' && channelName !== call.channelName)
      throw AppError.badField('channelName', 'channelName must be that of the call');
    const token = this.agora.publisherToken(call.channelName);
    if (isAnswered(call.status)) await this.note(own, call, token.expiresAt);
    const payload = toTokenPayload(call, token);
    this.emitter.toSocket(socketId, 'call:token', payload);
    return payload;
  }

  /** A deadline of tokens has come. Two nodes may call it at the same moment: one tells. One round trip. */
  async attend(call: Call): Promise<void> {
    const { tokenTtlMs } = this.config.agora;
    const deadline = tokenDeadline(call, tokenTtlMs, this.times);
    if (deadline === undefined) return;
    if (deadline.kind === 'lapse') {
      await this.transitions.apply(call, 'media-lapsed', undefined, { reason: 'token_expired' });
      return;
    }
    const expiries = { ...expiriesOf(call), tokensNotedUntil: deadline.expiresAt };
    const tokenDue = tokenDeadline(expiries, tokenTtlMs, this.times)?.at;
    const noted = await this.calls.noteTokens(call, { ...expiries, tokenDue });
    if (noted !== null) this.announcer.tellTokensExpire(noted, deadline.expiresAt);
  }

  private async note(own: Party, read: Call, expiresAt: Date): Promise<void> {
    let call = read;
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const field = roleIn(call, own) === 'caller' ? 'callerTokenExpiresAt' : 'calleeTokenExpiresAt';
      const expiries = { ...expiriesOf(call), [field]: expiresAt };
      const tokenDue = tokenDeadline(expiries, this.config.agora.tokenTtlMs, this.times)?.at;
      if ((await this.calls.noteTokens(call, { ...expiries, tokenDue })) !== null) return;
      call = await this.read(own, call._id.toHexString());
    }
    throw new AppError('UNAVAILABLE', 'The call is being changed by others. Try again.');
  }

  private async read(own: Party, callId: string): Promise<Call> {
    const call = await this.calls.findOf(new Types.ObjectId(callId), own);
    if (call === null) throw callNotFound();
    if (isFinal(call.status)) throw callConflict(call._id, call.status);
    if (isRingOver(call, new Date())) throw callConflict(call._id, 'missed');
    return call;
  }
}

function expiriesOf({ callerTokenExpiresAt, calleeTokenExpiresAt, tokensNotedUntil }: Call) {
  return {
    callerTokenExpiresAt,
    calleeTokenExpiresAt,
    ...(tokensNotedUntil !== undefined && { tokensNotedUntil }),
  };
}
