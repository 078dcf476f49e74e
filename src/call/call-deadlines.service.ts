import { Injectable } from '@nestjs/common';
import { RecurringLook } from '../database/recurring-look.js';
import type { Call, Deadline } from './call.schema.js';
import { DEADLINES } from './call.schema.js';
import { CallFollowUpService } from './call-follow-up.service.js';
import { CallPresenceService } from './call-presence.service.js';
import { CallRepository } from './call.repository.js';
import { CallTimes } from './call-times.js';
import { CallTokensService } from './call-tokens.service.js';
import { CallTransitions } from './call-transitions.service.js';

/** Calls that one look attends to; more are due at the next one, at once. */
const BATCH = 200;

/**
 * Sees to it that what a call waits for happens, whichever nodes live (contract §4): each looks every half second for what is due, and of
 * several that find the same, a compare-and-set lets one do it. A restart loses nothing; what was due meanwhile is due at once. Clocks of
 * nodes must agree as well as deadlines are to be kept.
 *
 * Round trips: one read a look, by index, whose cost is that of what is due.
 */
@Injectable()
export class CallDeadlinesService extends RecurringLook {
  constructor(
    private readonly calls: CallRepository,
    private readonly transitions: CallTransitions,
    private readonly followUp: CallFollowUpService,
    private readonly presence: CallPresenceService,
    private readonly tokens: CallTokensService,
    times: CallTimes,
  ) {
    super('The deadlines of calls are not attended to for now', times.lookIntervalMs);
  }

  protected async look(): Promise<boolean> {
    const now = new Date();
    const due = await this.calls.findDue(now, BATCH);
    await Promise.all(due.map((call) => this.attend(call, now)));
    return due.length === BATCH;
  }

  /** One after another: each may be the end of the call, after which the others find it in another state. */
  private async attend(call: Call, now: Date): Promise<void> {
    for (const deadline of DEADLINES) {
      const at = call[deadline];
      if (at !== undefined && at <= now) await this.meet(call, deadline);
    }
  }

  private async meet(call: Call, deadline: Deadline): Promise<void> {
    switch (deadline) {
      case 'ringDue':
        await this.transitions.apply(call, 'ring-timeout');
        return;
      case 'presenceDue':
        return this.presence.attend(call);
      case 'tokenDue':
        return this.tokens.attend(call);
      case 'followUpDue':
        return this.followUp.repeat(call);
    }
  }
}
