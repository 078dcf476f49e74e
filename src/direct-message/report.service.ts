import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type { ReportCreatedPayload, ReportReceiptPayload } from '../contract/direct-message.js';
import { AppError } from '../contract/errors.js';
import { type Identity, type Party, partyOf, SHARED_ADMIN_ID } from '../contract/identity.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { personalRoom } from '../realtime/rooms.js';
import { toPayload } from './direct-message.mapper.js';
import type { DirectMessage } from './direct-message.schema.js';
import { MessageActionsRepository } from './message-actions.repository.js';
import { messageNotFound, roleIn } from './message-rules.js';
import type { ReportDto } from './report.dto.js';
import { ReportRepository } from './report.repository.js';
import type { Report } from './report.schema.js';

const ADMINS: Party = { id: SHARED_ADMIN_ID, type: 'admin' };

/** Complaints about messages (contract §3): stored for the admins, who alone hear of them. */
@Injectable()
export class ReportService {
  constructor(
    private readonly emitter: EmitterService,
    private readonly messages: MessageActionsRepository,
    private readonly reports: ReportRepository,
  ) {}

  /**
   * Stores the report with the message as it is, tells the admins, then acknowledges. A person's second report of a message changes
   * nothing and returns the first. Two round trips (message, report), three for a repeat; encoded once for the admins, once for the ack.
   * @throws AppError NOT_FOUND for everybody but the participants of the message's conversation and admins; UNAVAILABLE
   */
  async report(user: Identity, { messageId, reason }: ReportDto): Promise<ReportReceiptPayload> {
    const message = await this.messages.find(new Types.ObjectId(messageId));
    if (message === null || roleIn(message, user) === undefined) throw messageNotFound();
    const report = draft(partyOf(user), message, reason.toWellFormed());
    if (await this.reports.insertFirst(report)) {
      this.emitter.toRooms([personalRoom(ADMINS)], 'dm:report_created', toCreatedPayload(report));
      return toReceipt(report);
    }
    const first = await this.reports.findSame(report);
    if (first === null) throw new AppError('UNAVAILABLE', 'The report could not be stored. Try again.');
    return toReceipt(first);
  }
}

function draft(reporter: Party, message: DirectMessage, reason: string): Report {
  return {
    _id: new Types.ObjectId(),
    messageId: message._id,
    conversationId: message.conversationId,
    reporterId: reporter.id,
    reporterType: reporter.type,
    reason,
    message,
    createdAt: new Date(),
  };
}

function toReceipt({ _id, messageId, conversationId, createdAt }: Report): ReportReceiptPayload {
  return {
    reportId: _id.toHexString(),
    messageId: messageId.toHexString(),
    conversationId,
    createdAt: createdAt.toISOString(),
  };
}

function toCreatedPayload(report: Report): ReportCreatedPayload {
  return {
    ...toReceipt(report),
    reason: report.reason,
    reportedBy: report.reporterId,
    reportedByType: report.reporterType,
    message: toPayload(report.message),
  };
}
