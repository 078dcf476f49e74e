import { Injectable } from '@nestjs/common';
import { type Party, partyOf } from '../contract/identity.js';
import type { PresenceChange } from '../presence/presence-tracker.js';
import { PresenceService } from '../presence/presence.service.js';
import { PresenceTimes } from '../presence/presence-times.js';
import type { Call } from './call.schema.js';
import { CallRepository } from './call.repository.js';
import { calleeOf, callerOf } from './call-rules.js';
import { isAnswered } from './call-state.js';
import { CallTimes } from './call-times.js';
import { CallTransitions } from './call-transitions.service.js';

/**
 * A party whose last socket goes has some time to come back (contract §4): the caller of a call that rings 10 s, either party of an answered
 * one 45 s. Counted from when they went, but never less than the time after others could know of it. When it has passed, presence is asked, so
 * nothing is to be undone when they come back, and one lost socket among several says nothing.
 *
 * Round trips: two writes, side by side, for each person who goes offline; two for a call whose time has come (presence, and what follows).
 */
@Injectable()
export class CallPresenceService {
  constructor(
    private readonly calls: CallRepository,
    private readonly transitions: CallTransitions,
    private readonly presence: PresenceService,
    private readonly presenceTimes: PresenceTimes,
    private readonly times: CallTimes,
  ) {
    presence.onChange((change) => this.follow(change));
  }

  /** The time to look at the parties has come. Several nodes may call it at the same moment. */
  async attend(call: Call): Promise<void> {
    const now = Date.now();
    const patienceMs = this.patienceFor(call);
    const awaited = isAnswered(call.status) ? [callerOf(call), calleeOf(call)] : [callerOf(call)];
    // Who was never seen anywhere was not seen since the call began.
    const since = (call.acceptedAt ?? call.startedAt).getTime();
    const parties = await this.presence.get(awaited);
    const returnBy = parties
      .filter(({ isOnline }) => !isOnline)
      .map(({ lastSeen }) => (lastSeen === null ? since : Date.parse(lastSeen)) + patienceMs);
    if (returnBy.some((time) => time <= now)) {
      const reason = isAnswered(call.status) ? 'network_error' : undefined;
      await this.transitions.apply(call, 'party-gone', undefined, { reason });
      return;
    }
    await this.calls.moveDeadline(
      call,
      'presenceDue',
      new Date(Math.min(...returnBy, now + this.times.presenceCheckMs)),
    );
  }

  private async follow({ person, isOnline, lastSeen }: PresenceChange): Promise<void> {
    if (isOnline) return;
    const party: Party = partyOf(person);
    const { callerReturnMs, partyReturnMs } = this.times;
    await Promise.all([
      this.calls.expectCaller(party, this.returnBy(lastSeen, callerReturnMs)),
      this.calls.expectParty(party, this.returnBy(lastSeen, partyReturnMs)),
    ]);
  }

  /** Who was on a node that died is said to be gone long after they were last seen: they have had no time to come back until then. */
  private returnBy(lastSeen: Date, patienceMs: number): Date {
    const rest = Math.max(0, patienceMs - this.presenceTimes.offlineDelayMs);
    return new Date(Math.max(lastSeen.getTime() + patienceMs, Date.now() + rest));
  }

  private patienceFor({ status }: Call): number {
    return isAnswered(status) ? this.times.partyReturnMs : this.times.callerReturnMs;
  }
}
