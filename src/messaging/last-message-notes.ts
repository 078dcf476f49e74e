import { isSameParty, type Party } from '../contract/identity.js';
import type { StoredMessage } from './stored-message.js';

/** A message that its conversation can say of itself as the last one. */
export interface NotableMessage extends StoredMessage {
  content: string;
  /** How often it was changed; absent: never. */
  revision?: number;
}

/** Whom something is about; undefined where only the database knows: then it may be anybody. */
export type Concerned = Party[] | undefined;

/** What is to be noted in conversations: of each the newest message, and that something changed. Bounded by their number. */
export class Notes<M extends NotableMessage> {
  private readonly newest = new Map<string, M>();
  private readonly touches = new Map<string, Concerned>();

  constructor(private readonly partiesOf: (message: M) => Concerned) {}

  get isEmpty(): boolean {
    return this.newest.size === 0 && this.touches.size === 0;
  }

  get messages(): M[] {
    return [...this.newest.values()];
  }

  /** Ids of conversations. */
  get touched(): string[] {
    return [...this.touches.keys()];
  }

  addMessage(message: M): void {
    const { conversationId } = message;
    if (isNewer(message, this.newest.get(conversationId))) this.newest.set(conversationId, message);
  }

  addTouch(conversationId: string, concerned: Concerned): void {
    this.touches.set(conversationId, concerned);
  }

  addAll(others: Notes<M>): void {
    for (const message of others.newest.values()) this.addMessage(message);
    for (const [conversationId, concerned] of others.touches) this.addTouch(conversationId, concerned);
  }

  /** Whether anything in here may be about a conversation of the party. */
  concern(party: Party): boolean {
    const mayBeTheirs = (concerned: Concerned): boolean =>
      concerned === undefined || concerned.some((one) => isSameParty(one, party));
    for (const message of this.newest.values()) if (mayBeTheirs(this.partiesOf(message))) return true;
    for (const concerned of this.touches.values()) if (mayBeTheirs(concerned)) return true;
    return false;
  }
}

/** A later message, or a later version of the same one. */
function isNewer(message: NotableMessage, than: NotableMessage | undefined): boolean {
  if (than === undefined) return true;
  return message.seq === than.seq ? (message.revision ?? 0) > (than.revision ?? 0) : message.seq > than.seq;
}
