import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import type { CallState } from '../contract/call.js';
import type { Call, Deadline } from './call.schema.js';
import { CallFollowUpService } from './call-follow-up.service.js';
import { CallRepository, type Change } from './call.repository.js';
import { durationAt } from './call-rules.js';
import { type CallEvent, type CallParty, isFinal, nextState } from './call-state.js';
import { CallTimes } from './call-times.js';
import { tokenDeadline } from './token-deadline.js';

/** What the server does because of a deadline is undone by whoever moves that. */
const DEADLINE_OF: Partial<Record<CallEvent, Deadline>> = {
  'ring-timeout': 'ringDue',
  'party-gone': 'presenceDue',
  'media-lapsed': 'tokenDue',
};

/** Who makes a transition; the socket is not told of what it did itself. */
export interface By {
  role: CallParty;
  socketId: string;
}

/** What comes with a transition. */
export interface Particulars {
  /** Why a call ends, in the words of whoever ends it. */
  reason?: string;
  /** Of an answer: when the parties' first tokens run out. */
  tokensExpireAt?: Date;
}

/**
 * Takes a call from the state in which it was read to the next one: one compare-and-set, which one of several that race wins (contract §4).
 * What it sets follows from the table in call-state.ts and from the clock.
 */
@Injectable()
export class CallTransitions {
  constructor(
    private readonly config: AppConfig,
    private readonly calls: CallRepository,
    private readonly followUp: CallFollowUpService,
    private readonly times: CallTimes,
  ) {}

  /**
   * Stores the transition and tells the parties of it. One round trip.
   * @param by absent: the server, because a deadline has come
   * @returns the call after it; null when it is not in the state any more in which it was read, or the event cannot happen there
   */
  async apply(call: Call, event: CallEvent, by?: By, particulars: Particulars = {}): Promise<Call | null> {
    const to = nextState(call.status, event, by?.role ?? 'server');
    if (to === undefined) return null;
    const after = await this.calls.transit(call, {
      ...this.changeOf(call, to, by, particulars),
      deadline: DEADLINE_OF[event],
    });
    if (after !== null) this.followUp.start(after, call);
    return after;
  }

  private changeOf(call: Call, to: CallState, by: By | undefined, particulars: Particulars): Change {
    const now = new Date();
    const followUpDue = new Date(now.getTime() + this.times.followUpMs);
    const actor = by && { lastActor: by.role, lastSocketId: by.socketId };
    const set = { status: to, followUpDue, ...actor };
    const gone: Change['gone'] = by === undefined ? ['lastActor', 'lastSocketId'] : [];
    if (isFinal(to)) {
      return {
        set: {
          ...set,
          endedAt: now,
          duration: durationAt(call, now),
          endReason: particulars.reason ?? defaultReason(to),
        },
        gone: [...gone, 'open', 'occupied', 'ringDue', 'presenceDue', 'tokenDue'],
      };
    }
    if (to === 'connected') return { set: { ...set, connectedAt: now }, gone };
    const answeredBy = by?.socketId;
    return { set: { ...set, answeredBy, ...this.answered(now, particulars) }, gone: [...gone, 'ringDue'] };
  }

  private answered(now: Date, { tokensExpireAt }: Particulars): Partial<Call> {
    const expiries = { callerTokenExpiresAt: tokensExpireAt, calleeTokenExpiresAt: tokensExpireAt };
    return {
      acceptedAt: now,
      ...expiries,
      tokenDue: tokenDeadline(expiries, this.config.agora.tokenTtlMs, this.times)?.at,
      // A caller who is away just now has as long as anybody in a call from here on.
      presenceDue: new Date(now.getTime() + this.times.partyReturnMs),
    };
  }
}

function defaultReason(to: CallState): string {
  return to === 'rejected' ? 'declined' : to;
}
