import type { DeliveredMarkPayload, ReadMarkPayload } from '../../../src/contract/direct-message.js';
import type { Person } from '../token.js';
import type { ConversationView } from './conversation-view.js';
import type { Ask, SoakDriver } from './driver.js';
import type { MarkLedger } from './mark-ledger.js';
import { isSame } from './people.js';
import type { Random } from './random.js';

const NAMED_IDS = 5;
/** Marks are tried to be moved back by up to so many. */
const BACKWARDS = 3;

/** What a person does with the marks of their conversations, from one device. */
export class Reader {
  constructor(
    private readonly driver: SoakDriver,
    private readonly person: Person,
    private readonly ledger: MarkLedger,
    private readonly random: Random,
    private readonly complain: (fault: string) => void,
  ) {}

  async markSomething(view: ConversationView, ask: Ask): Promise<void> {
    if (view.lastSeq === 0) return;
    const { markDelivered } = this.driver;
    if (markDelivered !== undefined) {
      if (this.random.chance(0.4)) return this.markDelivered(view, markDelivered, ask);
      if (this.random.chance(0.3)) return this.markIdsRead(view, ask);
    }
    const from = Math.max(view.readSeq - BACKWARDS, 0);
    const upToSeq = from + this.random.below(view.lastSeq - from + 1);
    await this.markRead(view, { upToSeq }, upToSeq, ask);
  }

  private async markIdsRead(view: ConversationView, ask: Ask): Promise<void> {
    const newest = [...view.messages.values()].toSorted((a, b) => b.seq - a.seq).slice(0, NAMED_IDS);
    const byOthers = newest.filter(
      ({ senderId: id, senderType: type }) => !isSame({ id, type }, this.person),
    );
    const messageIds = newest.map(({ id }) => id);
    if (byOthers.length > 0) await this.markRead(view, { messageIds }, byOthers[0]?.seq ?? 0, ask);
  }

  private async markRead(view: ConversationView, how: object, seq: number, ask: Ask): Promise<void> {
    const { conversationId } = view.talk;
    const ackedBefore = this.ledger.of('read', this.person, conversationId).acked;
    this.ledger.asked('read', this.person, conversationId, seq);
    const mark = await ask<ReadMarkPayload>(this.driver.events.markRead, { conversationId, ...how });
    if (mark.upToSeq < Math.max(seq, ackedBefore))
      this.complain(`${conversationId}: read to ${Math.max(seq, ackedBefore)}, acked as ${mark.upToSeq}`);
    this.ledger.acked('read', this.person, conversationId, mark.upToSeq);
    view.readSeq = Math.max(view.readSeq, mark.upToSeq);
  }

  private async markDelivered(view: ConversationView, event: string, ask: Ask): Promise<void> {
    const { conversationId } = view.talk;
    const upToSeq = view.lastSeq;
    this.ledger.asked('delivered', this.person, conversationId, upToSeq);
    const mark = await ask<DeliveredMarkPayload>(event, { conversationId, upToSeq });
    if (mark.upToSeq !== upToSeq)
      this.complain(`${conversationId}: delivered to ${upToSeq}, acked as ${mark.upToSeq}`);
    this.ledger.acked('delivered', this.person, conversationId, upToSeq);
  }
}
