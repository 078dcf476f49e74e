import type { LightClient } from '../support/light-client.js';
import type { IncomingMessage, OutgoingMessage } from './message.js';

/** Eighty characters, as people write them. */
const CONTENT = 'Namaste! My birth time is 04:35, Jaipur. When would be a good day to travel? 🙏';

export interface Side {
  client: LightClient;
  id: string;
  type: string;
}

/** What a pair tells its observer. Times are `performance.now()`. */
export interface PairObserver {
  acked: (since: number) => void;
  delivered: (since: number) => void;
}

/** A message that is not yet acknowledged and received by both. */
interface Pending {
  since: number;
  sender: Side;
  isAcked: boolean;
  receivers: Set<Side>;
  onAck: () => void;
}

/** Two people who write to each other, and watch that every message is acknowledged once and reaches both once. */
export class Pair {
  private readonly pending = new Map<string, Pending>();
  private readonly lastSeqs = new Map<Side, number>();
  private count = 0;
  /** Messages that came before one with a smaller seq. */
  outOfOrder = 0;

  constructor(
    private readonly conversationId: string,
    private readonly sides: readonly [Side, Side],
    private readonly observer: PairObserver,
  ) {
    for (const side of sides) {
      side.client.onEvent = (event, payload) => {
        if (event === 'dm:message_received') this.receive(side, payload as IncomingMessage);
        else if (event === 'error') throw new Error(`The server says: ${JSON.stringify(payload)}`);
      };
    }
  }

  /** Messages on their way. */
  get inFlight(): number {
    return this.pending.size;
  }

  /**
   * The two take turns.
   * @param since when it should have been sent, from which its latencies count
   */
  send(since: number, onAck: () => void = () => {}): void {
    const [even, odd] = this.sides;
    const [sender, recipient] = this.count % 2 === 0 ? [even, odd] : [odd, even];
    const clientMessageId = `${this.conversationId}-${(this.count += 1)}`;
    this.pending.set(clientMessageId, { since, sender, isAcked: false, receivers: new Set(), onAck });
    const message: OutgoingMessage = {
      conversationId: this.conversationId,
      recipientId: recipient.id,
      recipientType: recipient.type,
      content: CONTENT,
      clientMessageId,
    };
    sender.client.emit('dm:send_message', message, (answer) => this.acknowledge(clientMessageId, answer));
  }

  private acknowledge(clientMessageId: string, answer: unknown): void {
    const { ok, data } = answer as { ok: boolean; data?: IncomingMessage };
    const pending = this.pending.get(clientMessageId);
    if (!ok || data?.clientMessageId !== clientMessageId || pending === undefined || pending.isAcked)
      throw new Error(`A message was not acknowledged as it should be: ${JSON.stringify(answer)}`);
    pending.isAcked = true;
    this.observer.acked(pending.since);
    this.settle(clientMessageId, pending);
    pending.onAck();
  }

  private receive(side: Side, { clientMessageId, seq }: IncomingMessage): void {
    const pending = this.pending.get(clientMessageId);
    if (pending === undefined || pending.receivers.has(side))
      throw new Error(`${side.id} received ${clientMessageId} once too often`);
    pending.receivers.add(side);
    if (side !== pending.sender) this.observer.delivered(pending.since);
    const last = this.lastSeqs.get(side) ?? 0;
    if (seq !== last + 1) this.outOfOrder += 1;
    this.lastSeqs.set(side, Math.max(last, seq));
    this.settle(clientMessageId, pending);
  }

  private settle(clientMessageId: string, { isAcked, receivers }: Pending): void {
    if (isAcked && receivers.size === this.sides.length) this.pending.delete(clientMessageId);
  }
}
