import { LRUCache } from 'lru-cache';
import { type Party, partyKey } from '../contract/identity.js';
import type { MessageRepository } from './message.repository.js';
import type { Draft, Place, StoredMessage } from './stored-message.js';

const REMEMBERED_CONVERSATIONS = 50_000;
/** A conversation in which another node was faster counts as contended for so long. Milliseconds, as all times here. */
const CONTENTION_MS = 10_000;

/** The end of a conversation as this node knows it. */
interface Tail {
  seq: number;
  /** How many messages each of them had written by then, as far as it is known; by `senderKey`. */
  senderSeqs: Map<string, number>;
}

const NOTHING: Tail = { seq: 0, senderSeqs: new Map() };

/**
 * What this node remembers of the ends of conversations. It may be behind, which the unique index on (conversation, seq) detects;
 * it is never ahead: only stored messages move it.
 */
export class Tails<M extends StoredMessage> {
  private readonly known = new LRUCache<string, Tail>({ max: REMEMBERED_CONVERSATIONS });
  /** Two people on two nodes write in turns: asking first costs a read, being late a failed insert besides, and everyone who shares it. */
  private readonly contended = new LRUCache<string, true>({
    max: REMEMBERED_CONVERSATIONS,
    ttl: CONTENTION_MS,
  });

  constructor(private readonly messages: MessageRepository<M>) {
    messages.onConnectionLost(() => this.known.clear());
  }

  /** Whether drafts of these senders can be numbered without asking the database. */
  knows(conversationId: string, drafts: Draft<M>[]): boolean {
    const tail = this.known.get(conversationId);
    return tail !== undefined && drafts.every((draft) => tail.senderSeqs.has(senderKey(draft)));
  }

  /** Learns what `number` needs. One read for the end, and none to one for each sender not known yet. */
  async learn(conversationId: string, drafts: Draft<M>[]): Promise<void> {
    const place = await this.messages.lastPlace(conversationId);
    const seq = place?.seq ?? 0;
    const before = this.known.get(conversationId);
    // The other one's stays as long as nothing came in between: two who take turns would else be asked for every time.
    const tail: Tail = { seq, senderSeqs: new Map(before?.seq === seq ? before.senderSeqs : []) };
    for (const draft of drafts) {
      const key = senderKey(draft);
      if (!tail.senderSeqs.has(key)) tail.senderSeqs.set(key, await this.countBy(draft, place));
    }
    this.known.set(conversationId, tail);
  }

  /** The messages that follow on the known end, in order. `knows` must hold. */
  number(conversationId: string, drafts: Draft<M>[]): M[] {
    const tail = this.known.get(conversationId) ?? NOTHING;
    const senderSeqs = new Map(tail.senderSeqs);
    return drafts.map((draft, index) => {
      const key = senderKey(draft);
      const senderSeq = (senderSeqs.get(key) ?? 0) + 1;
      senderSeqs.set(key, senderSeq);
      return { ...draft, seq: tail.seq + 1 + index, senderSeq } as M;
    });
  }

  /** Moves the end to a message that was stored at it. */
  advance({ conversationId, seq, senderSeq, senderId, senderType }: Place): void {
    const tail = this.known.get(conversationId);
    if (tail === undefined || tail.seq !== seq - 1) return this.forget(conversationId);
    tail.seq = seq;
    tail.senderSeqs.set(senderKey({ senderId, senderType }), senderSeq);
  }

  /** Whether another node writes in it, too: what is remembered is late then, more often than not. */
  isContended(conversationId: string): boolean {
    return this.contended.has(conversationId);
  }

  /** Another node was faster. */
  lostRace(conversationId: string): void {
    this.forget(conversationId);
    this.contended.set(conversationId, true);
  }

  forget(conversationId: string): void {
    this.known.delete(conversationId);
  }

  private async countBy({ senderId, senderType }: Draft<M>, place: Place | null): Promise<number> {
    const sender: Party = { id: senderId, type: senderType };
    return place === null ? 0 : this.messages.countBy(sender, place);
  }
}

function senderKey({ senderId, senderType }: Pick<StoredMessage, 'senderId' | 'senderType'>): string {
  return partyKey({ id: senderId, type: senderType });
}
