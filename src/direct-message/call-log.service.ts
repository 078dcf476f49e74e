import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type { CallType } from '../contract/call.js';
import { type CallLog, CallLogs } from '../messaging/call-logs.js';
import { PresenceService } from '../presence/presence.service.js';
import { ConversationService } from './conversation.service.js';
import { CALL_LOG_ID_PREFIX } from './direct-message.dto.js';
import { DirectMessageService } from './direct-message.service.js';

const KINDS: Record<CallType, string> = { voice: 'Voice call', video: 'Video call' };

/**
 * Writes finished calls into the conversations of their parties, as messages of the caller (contract §4). The call's id is in the
 * clientMessageId, under a prefix that no client can use: however often it is written, it is stored once.
 *
 * Database round trips: as for a message; blocks do not keep it back, because it is not the caller who writes it.
 */
@Injectable()
export class CallLogService {
  constructor(
    private readonly conversations: ConversationService,
    private readonly messages: DirectMessageService,
    private readonly presence: PresenceService,
    logs: CallLogs,
  ) {
    logs.onLog((log) => this.write(log));
  }

  private async write(log: CallLog): Promise<void> {
    const { callId, caller, callee, callType, callStatus, callDuration } = log;
    const { conversationId } = await this.conversations.openForSending(caller, callee);
    await this.messages.store({
      _id: new Types.ObjectId(),
      conversationId,
      senderId: caller.id,
      senderType: caller.type,
      senderName: caller.name,
      senderAvatar: caller.avatar,
      recipientId: callee.id,
      recipientType: callee.type,
      content: contentOf(log),
      messageType: 'call_log',
      clientMessageId: `${CALL_LOG_ID_PREFIX}${callId}`,
      timestamp: log.endedAt,
      status: (await this.presence.isOnline(callee)) ? 'delivered' : 'sent',
      callId,
      callType,
      callStatus,
      callDuration,
    });
  }
}

function contentOf({ callType, callStatus, callDuration }: CallLog): string {
  const kind = KINDS[callType];
  return callStatus === 'completed' ? `${kind}, ${clock(callDuration)}` : `${kind} ${callStatus}`;
}

/** 65 seconds as 1:05, an hour as 1:00:00. */
function clock(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const padded = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}
