import { isSameParty, type Party } from '../contract/identity.js';
import type { DirectMessage } from './direct-message.schema.js';
import { recipientOf, senderOf } from './message-rules.js';

/** What is to be noted in conversations: of each the newest message, and that something changed. Bounded by their number. */
export class Notes {
  private readonly newest = new Map<string, DirectMessage>();
  private readonly touches = new Map<string, Party[]>();

  get isEmpty(): boolean {
    return this.newest.size === 0 && this.touches.size === 0;
  }

  get messages(): DirectMessage[] {
    return [...this.newest.values()];
  }

  /** Ids of conversations. */
  get touched(): string[] {
    return [...this.touches.keys()];
  }

  addMessage(message: DirectMessage): void {
    const { conversationId } = message;
    if (isNewer(message, this.newest.get(conversationId))) this.newest.set(conversationId, message);
  }

  addTouch(conversationId: string, participants: Party[]): void {
    this.touches.set(conversationId, participants);
  }

  addAll(others: Notes): void {
    for (const message of others.newest.values()) this.addMessage(message);
    for (const [conversationId, participants] of others.touches) this.addTouch(conversationId, participants);
  }

  /** Whether anything in here is about a conversation of the party. */
  concern(party: Party): boolean {
    const isTheirs = (participants: Party[]): boolean => participants.some((one) => isSameParty(one, party));
    for (const message of this.newest.values())
      if (isTheirs([senderOf(message), recipientOf(message)])) return true;
    for (const participants of this.touches.values()) if (isTheirs(participants)) return true;
    return false;
  }
}

/** A later message, or a later version of the same one. */
function isNewer(message: DirectMessage, than: DirectMessage | undefined): boolean {
  if (than === undefined) return true;
  return message.seq === than.seq ? (message.revision ?? 0) > (than.revision ?? 0) : message.seq > than.seq;
}
