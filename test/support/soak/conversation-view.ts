import type { SoakEntry, SoakMessage } from './driver.js';
import type { Talk } from './people.js';

const RANK = { failed: 0, sent: 0, delivered: 1, read: 2 };

/** What a device knows of a conversation. Tells of what can never be right. */
export class ConversationView {
  /** By seq. */
  readonly messages = new Map<number, SoakMessage>();
  /** Everything up to here is there. */
  lastSeq = 0;
  /** The highest seq that it has heard of. */
  heardOf = 0;
  /** The highest seq that it was told of as it was sent, not when it asked. */
  toldOf = 0;
  /** How far it knows the own mark to be. */
  readSeq = 0;
  /** A history that is under way. */
  reading: Promise<void> | undefined;
  private readonly ranks = new Map<string, number>();
  private listed: SoakEntry | undefined;

  constructor(
    readonly talk: Talk,
    private readonly complain: (fault: string) => void,
  ) {}

  get isBehind(): boolean {
    return this.heardOf > this.lastSeq;
  }

  keep(message: SoakMessage): void {
    const { seq, id, conversationId } = message;
    const known = this.messages.get(seq);
    if (known !== undefined && (known.id !== id || known.content !== message.content))
      this.complain(`${conversationId} has two messages at ${seq}: ${known.id} and ${id}`);
    this.messages.set(seq, message);
    this.heardOf = Math.max(this.heardOf, seq);
    while (this.messages.has(this.lastSeq + 1)) this.lastSeq += 1;
  }

  /** A page of history: its statuses never go back from one page to the next that shows the message. */
  keepPage(messages: SoakMessage[]): void {
    for (const message of messages) {
      const rank = message.status === undefined ? 0 : RANK[message.status];
      if (rank < (this.ranks.get(message.id) ?? 0))
        this.complain(`${message.conversationId} ${message.seq} went back to ${message.status}`);
      this.ranks.set(message.id, rank);
      this.keep(message);
    }
  }

  /** An entry of the list of conversations; what one said, the next may not take back. */
  keepEntry(entry: SoakEntry): void {
    const before = this.listed;
    if (before !== undefined) {
      const pairs = [
        ['lastSeq', before.lastSeq, entry.lastSeq],
        ['readSeq', before.readSeq, entry.readSeq],
        ...Object.entries(before.others).map(([name, was]) => [name, was, entry.others[name] ?? 0] as const),
      ] as const;
      for (const [name, was, is] of pairs)
        if (is < was) this.complain(`${entry.conversationId}: ${name} went back from ${was} to ${is}`);
    }
    this.listed = entry;
    this.heardOf = Math.max(this.heardOf, entry.lastSeq);
    this.readSeq = Math.max(this.readSeq, entry.readSeq);
  }
}
