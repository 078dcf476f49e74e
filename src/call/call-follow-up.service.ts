import { Injectable, Logger } from '@nestjs/common';
import { AppError, ERROR_CODES } from '../contract/errors.js';
import { OutageLog } from '../logging/outage-log.js';
import { CallLogs } from '../messaging/call-logs.js';
import type { Call } from './call.schema.js';
import { CallAnnouncer } from './call-announcer.js';
import { CallRepository } from './call.repository.js';
import { calleeOf, callerOf } from './call-rules.js';
import { isAnswered, isFinal, logStatusOf } from './call-state.js';
import { CallTimes } from './call-times.js';
import { ToldCalls } from './told-calls.js';

/** A node that lives has told by then, and cleared its note. */
const TOLD_AFTER_MS = 1000;

/**
 * What follows a transition that is stored: its parties are told, a finished call leaves its log, and the note that all this is to be done
 * goes. A node that dies before leaves the note, and another one does it from there: parties may then be told twice, never not at all.
 *
 * Database round trips, none of them waited for by the event: 1, and those of a message for a finished call.
 */
@Injectable()
export class CallFollowUpService {
  private readonly logger = new Logger(CallFollowUpService.name);
  private readonly outage = new OutageLog(this.logger, 'Calls are followed up later');

  constructor(
    private readonly calls: CallRepository,
    private readonly announcer: CallAnnouncer,
    private readonly told: ToldCalls,
    private readonly logs: CallLogs,
    private readonly times: CallTimes,
  ) {}

  /**
   * The parties are told when it returns; the rest follows.
   * @param before the call as it was, of whose answer a node that died may have told nobody: this transition takes the place of its note
   */
  start(call: Call, before?: Call): void {
    if (before !== undefined && isAnswered(call.status) && isUntold(before)) this.announcer.tell(before);
    this.announcer.tell(call);
    void this.finish(call);
  }

  /** The node that made the transition died, or could not finish. Two round trips more. */
  async repeat(call: Call): Promise<void> {
    const followUpDue = new Date(Date.now() + this.times.followUpRetryMs);
    if (!(await this.calls.moveDeadline(call, 'followUpDue', followUpDue))) return;
    const isNews = call.endedAt === undefined || Date.now() - call.endedAt.getTime() < this.times.newsMs;
    if (isNews) this.announcer.tell(call);
    if (call.status === 'ringing') this.announcer.tellCaller(call);
    await this.finish(Object.assign({}, call, { followUpDue }));
  }

  /** Never rejects: what fails is due again. */
  private async finish(call: Call): Promise<void> {
    try {
      if (isFinal(call.status)) await this.writeLog(call);
      if (!(await this.calls.clearFollowUp(call))) await this.tellNewer(call);
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
    }
  }

  /** Another node may have told of something newer before this one told of what it did: the parties must hear the newer last. */
  private async tellNewer(call: Call): Promise<void> {
    const [now] = await this.calls.findMany([call._id]);
    if (now !== undefined && now.status !== call.status && !this.told.wasTold(now)) this.announcer.tell(now);
  }

  private async writeLog(call: Call): Promise<void> {
    try {
      await this.logs.write({
        callId: call._id.toHexString(),
        caller: { ...callerOf(call), name: call.callerName, avatar: call.callerAvatar },
        callee: calleeOf(call),
        callType: call.callType,
        callStatus: logStatusOf(call.status, call.endReason),
        callDuration: call.duration ?? 0,
        endedAt: call.endedAt ?? new Date(),
      });
    } catch (error) {
      // The next try would be refused, too.
      if (!(error instanceof AppError) || ERROR_CODES[error.code].retryable) throw error;
      this.logger.error(`The log of a call cannot be written: ${error.code}`);
    }
  }
}

function isUntold({ status, acceptedAt, followUpDue }: Call): boolean {
  if (status !== 'accepted' || acceptedAt === undefined || followUpDue === undefined) return false;
  return Date.now() - acceptedAt.getTime() > TOLD_AFTER_MS;
}
