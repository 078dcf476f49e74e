import type { CallLogStatus } from '../../../src/contract/call.js';
import type { Party } from '../../../src/contract/identity.js';

/** The log of a call, as it is stored among the messages. */
export interface StoredLog {
  conversationId: string;
  callId: string;
  callStatus: CallLogStatus;
  callDuration: number;
  senderId: string;
  senderType: Party['type'];
  recipientId: string;
  recipientType: Party['type'];
}
