import { Injectable, Logger } from '@nestjs/common';
import { type Party, partyKey } from '../contract/identity.js';
import { DeletedMessages } from './deleted-messages.js';
import { FcmSender } from './fcm-sender.js';
import {
  type CallPush,
  cancelPush,
  type MessagePush,
  messagePush,
  type Push,
  ringPush,
} from './push-data.js';
import { PushDeliveryService } from './push-delivery.service.js';
import { RingCancels } from './ring-cancels.js';

/**
 * Pushes to the devices of a party (contract §8); of the shared admin, to those of all admins. Each method returns at once and never
 * throws: a push neither delays nor fails the event that caused it. Without credentials of Firebase pushes are dropped.
 */
@Injectable()
export class PushService {
  private readonly logger = new Logger(PushService.name);

  constructor(
    private readonly sender: FcmSender,
    private readonly delivery: PushDeliveryService,
    private readonly rings: RingCancels,
    private readonly deleted: DeletedMessages,
  ) {}

  /** Whether pushes go anywhere: without it, who is absent need not be found out. */
  get isConfigured(): boolean {
    return this.sender.isConfigured;
  }

  /**
   * `isStillFor` is asked before a message's push is tried again, which may be an hour later and on another node: whoever has left the
   * conversation gets nothing more of it. One that rejects leaves it to a later try. To be called in a constructor.
   */
  beforeRetry(isStillFor: (recipient: Party, conversationId: string) => Promise<boolean>): void {
    this.delivery.beforeRetry(isStillFor);
  }

  /** The same message for many recipients who have no socket: one read finds the devices of all. As `message` else. */
  messageToAll(recipients: Party[], message: MessagePush): void {
    if (!this.sender.isConfigured || recipients.length === 0) return;
    this.delivery.submitAll(recipients.map((recipient) => messagePush(recipient, message)));
  }

  /** For a recipient who has no socket. Tried again for an hour, kept for an absent phone for a day. */
  message(recipient: Party, message: MessagePush): void {
    this.submit('message', () => messagePush(recipient, message));
  }

  /**
   * Ends the attempts to push a deleted message to its recipient, on this node at once, and takes its text out of the database. What FCM has
   * already, it delivers.
   */
  messageDeleted(recipient: Party, messageId: string): void {
    if (!this.sender.isConfigured) return;
    this.deleted
      .add(partyKey(recipient), messageId)
      .catch((error: unknown) =>
        this.logger.warn(`Pushes of a deleted message may still go out: ${(error as Error).name}`),
      );
  }

  /** Whether or not the callee has a socket: the phone may be locked. Nothing is sent or delivered after `expiresAt`. */
  callRinging(callee: Party, call: CallPush): void {
    this.submit(call.callType, () => ringPush(callee, call));
  }

  /** The call was answered: rings that have not gone out yet never do. Those that have rung end by themselves, or over the socket. */
  callAnswered(callId: string): void {
    if (!this.sender.isConfigured) return;
    this.rings.cancelHere(callId);
    this.rings
      .cancelElsewhere(callId)
      .catch((error: unknown) =>
        this.logger.warn(`Pushes of an answered call may still go out: ${(error as Error).name}`),
      );
  }

  /** Ends the ringing on the callee's devices; rings of this call that have not gone out yet never do. */
  callCancelled(callee: Party, callId: string): void {
    this.submit('call_cancel', () => {
      this.rings.cancelHere(callId);
      return cancelPush(callee, callId);
    });
  }

  private submit(kind: string, make: () => Push): void {
    try {
      if (this.sender.isConfigured) this.delivery.submit(make());
      else this.logger.debug(`A push is dropped (${kind}): Firebase is not configured`);
    } catch (error) {
      this.logger.error(`A push could not be made (${kind}): ${(error as Error).name}`);
    }
  }
}
