import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { type AgoraToken, AgoraTokenService } from '../agora/agora-token.service.js';
import type { CallAcceptedPayload, CallOutcomePayload } from '../contract/call.js';
import { AppError } from '../contract/errors.js';
import { type Identity, partyOf } from '../contract/identity.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import type { Call } from './call.schema.js';
import { CallAnnouncer } from './call-announcer.js';
import type { QueuedCallActionDto } from './call.dto.js';
import { toOutcome, toTokenPayload } from './call.mapper.js';
import { CallParties } from './call-parties.js';
import { CallRepository } from './call.repository.js';
import { callConflict, callNotFound, isInCall, isRingOver, roleIn } from './call-rules.js';
import { type CallEvent, isAnswered, mayEver, nextState } from './call-state.js';
import { type By, CallTransitions, type Particulars } from './call-transitions.service.js';
import { ToldAccepts } from './told-accepts.js';

/** Another node can be faster; it cannot be so for ever, because every transition takes a call closer to its end. */
const MAX_TRIES = 5;

interface Attempt {
  callId: string;
  event: CallEvent;
  /** Of the call as it was read. */
  particularsOf?: (call: Call) => Particulars;
  arrivedAt: number;
  /** Is told of the call as it is when the event comes too late. */
  onConflict?: (call: Call) => void;
}

/**
 * What the parties do to a call (contract §4). Only they may; for an admin's call, any admin.
 *
 * Database round trips before the ack: 2, a read and the compare-and-set, and one read more for a call that this node does not know; after it
 * 1, and for a finished call the log's message. Emits: at most one to each party's personal room.
 */
@Injectable()
export class CallService {
  /** By call: what came first is done first, so that a device may send `accept` and `connected` without waiting. */
  private readonly inArrivalOrder = new KeyedQueue();
  private readonly toldAccepts = new ToldAccepts();

  constructor(
    private readonly calls: CallRepository,
    private readonly parties: CallParties,
    private readonly transitions: CallTransitions,
    private readonly announcer: CallAnnouncer,
    private readonly agora: AgoraTokenService,
  ) {}

  /**
   * By the callee. Its socket gets `call:end` when the call is in another state.
   * @throws AppError NOT_FOUND for outsiders; FORBIDDEN for the caller; CONFLICT; AGORA_NOT_CONFIGURED; UNAVAILABLE
   */
  async accept(user: Identity, socketId: string, callId: string): Promise<CallAcceptedPayload> {
    const arrivedAt = performance.now();
    await this.parties.assertParty(user, callId);
    return this.inArrivalOrder.run(keyOf(callId), async () => {
      let token: AgoraToken | undefined;
      const particularsOf = ({ channelName }: Call): Particulars => {
        token = this.agora.publisherToken(channelName);
        return { tokensExpireAt: token.expiresAt };
      };
      const onConflict = (call: Call): void => {
        // A second tap on the phone that answered must not end the call there.
        if (!isInCall(call, socketId)) this.announcer.endFor(call, socketId);
      };
      const attempt: Attempt = { callId, event: 'accept', particularsOf, arrivedAt, onConflict };
      const accepted = await this.attemptToAccept(user, socketId, attempt);
      this.toldAccepts.note(keyOf(callId));
      return { ...toTokenPayload(accepted, token as AgoraToken), status: 'accepted' };
    });
  }

  /**
   * By the callee.
   * @throws AppError NOT_FOUND for outsiders; FORBIDDEN for the caller; CONFLICT; UNAVAILABLE
   */
  async reject(
    user: Identity,
    socketId: string,
    callId: string,
    reason?: string | null,
  ): Promise<CallOutcomePayload> {
    return this.act(user, socketId, {
      callId,
      event: 'reject',
      particularsOf: () => ({ reason: reason || undefined }),
    });
  }

  /**
   * By either party; the second one changes nothing.
   * @throws AppError NOT_FOUND for outsiders; CONFLICT; UNAVAILABLE
   */
  async connected(user: Identity, socketId: string, callId: string): Promise<CallOutcomePayload> {
    return this.act(user, socketId, { callId, event: 'connect' });
  }

  /**
   * By either party: while it rings the caller cancels and the callee declines.
   * @throws AppError NOT_FOUND for outsiders; CONFLICT; UNAVAILABLE
   */
  async end(
    user: Identity,
    socketId: string,
    callId: string,
    reason?: string | null,
  ): Promise<CallOutcomePayload> {
    return this.act(user, socketId, {
      callId,
      event: 'end',
      particularsOf: () => ({ reason: reason || undefined }),
    });
  }

  /** What a phone did while it was offline: with a duration an end, with a reason a reject, else an accept (contract §4, `call`). */
  async replay(
    user: Identity,
    socketId: string,
    { callId, duration, reason }: QueuedCallActionDto,
  ): Promise<CallOutcomePayload | CallAcceptedPayload> {
    // An empty field says what it is there for, unless all are there and empty: an unwanted accept would be the worst.
    if (typeof duration === 'number' || (duration === null && reason === undefined))
      return this.end(user, socketId, callId, reason);
    if (typeof reason === 'string' || (reason === null && duration === undefined))
      return this.reject(user, socketId, callId, reason);
    return this.accept(user, socketId, callId);
  }

  /** The database may have stored what it could not say that it did: a phone that is told of a failure would ring on, in the call. */
  private async attemptToAccept(user: Identity, socketId: string, attempt: Attempt): Promise<Call> {
    try {
      return await this.attempt(user, socketId, attempt);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const call = await this.read(user, attempt.callId);
      if (!isAnswered(call.status) || call.answeredBy !== socketId) throw error;
      return call;
    }
  }

  private async act(
    user: Identity,
    socketId: string,
    attempt: Omit<Attempt, 'arrivedAt'>,
  ): Promise<CallOutcomePayload> {
    const arrivedAt = performance.now();
    await this.parties.assertParty(user, attempt.callId);
    return this.inArrivalOrder.run(keyOf(attempt.callId), async () =>
      toOutcome(await this.attempt(user, socketId, { ...attempt, arrivedAt })),
    );
  }

  /** Makes the transition that was possible when the call was first read, and no other. */
  private async attempt(user: Identity, socketId: string, attempt: Attempt): Promise<Call> {
    const { event, particularsOf } = attempt;
    let aim: string | undefined;
    for (let tries = 1; ; tries += 1) {
      const call = await this.read(user, attempt.callId);
      const by: By = { role: roleIn(call, partyOf(user)), socketId };
      if (event === 'connect' && call.status === 'connected') return call;
      if (isRingOver(call, new Date())) throw await this.missed(call, attempt);
      const to = this.targetOf(call, by, attempt);
      aim ??= to;
      if (to !== aim || tries > MAX_TRIES) throw tooLate(call, attempt);
      const after = await this.transitions.apply(call, event, by, particularsOf?.(call));
      if (after !== null) return after;
    }
  }

  /** @throws AppError FORBIDDEN for what this party may never do; CONFLICT for what it may not do now */
  private targetOf(call: Call, { role, socketId }: By, attempt: Attempt): string {
    const { event, arrivedAt } = attempt;
    if (!mayEver(role, event)) throw new AppError('FORBIDDEN', 'Only the other party may do this.');
    const to = nextState(call.status, event, role);
    const isUnaware =
      event === 'end' &&
      isAnswered(call.status) &&
      call.lastSocketId !== socketId &&
      this.toldAccepts.wasUnknown(call._id.toHexString(), arrivedAt);
    if (to === undefined || isUnaware) throw tooLate(call, attempt);
    return to;
  }

  /** The time of its ringing is over, and its deadline was not yet attended to: all devices are told now, or were just now. */
  private async missed(call: Call, attempt: Attempt): Promise<AppError> {
    const missed = await this.transitions.apply(call, 'ring-timeout');
    if (missed !== null) return callConflict(missed._id, missed.status);
    const [current = call] = await this.calls.findMany([call._id]);
    return tooLate(current, attempt);
  }

  private async read(user: Identity, callId: string): Promise<Call> {
    const call = await this.calls.findOf(new Types.ObjectId(callId), partyOf(user));
    if (call === null) throw callNotFound();
    return call;
  }
}

function tooLate(call: Call, { onConflict }: Attempt): AppError {
  onConflict?.(call);
  return callConflict(call._id, call.status);
}

/** Of the two ways to write an id, one. */
function keyOf(callId: string): string {
  return callId.toLowerCase();
}
