import { Injectable } from '@nestjs/common';
import type { CallLogStatus, CallType } from '../contract/call.js';
import type { Identity, Party } from '../contract/identity.js';

/** A finished call, as it stands in the conversation of its parties (contract §4). */
export interface CallLog {
  callId: string;
  caller: Identity;
  callee: Party;
  callType: CallType;
  callStatus: CallLogStatus;
  /** Whole seconds. */
  callDuration: number;
  endedAt: Date;
}

/** The way of a finished call into the conversation of its parties: calls and direct messages know nothing of each other. */
@Injectable()
export class CallLogs {
  private writer: ((log: CallLog) => Promise<void>) | undefined;

  /** `writer` stores a log as a message and delivers it, once for each call however often it is called. Register it in a constructor. */
  onLog(writer: (log: CallLog) => Promise<void>): void {
    this.writer = writer;
  }

  /** May be repeated. @throws what the writer throws: the log may not be stored, and is to be written again */
  async write(log: CallLog): Promise<void> {
    if (this.writer === undefined) throw new Error('Nobody writes call logs.');
    await this.writer(log);
  }
}
