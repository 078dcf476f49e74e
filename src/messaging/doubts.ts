import type { Types } from 'mongoose';
import type { MessageRepository } from './message.repository.js';
import type { StoredMessage } from './stored-message.js';

const LOOK_INTERVAL_MS = 1000;
/** An insert that the database has not carried out by then never is: its connection was given up long before. */
const FINAL_AFTER_MS = 15_000;
/** Bounds the memory of an outage; the oldest are forgotten, and found by readers alone. */
const MAX_DOUBTS = 10_000;

interface Doubt<M> {
  id: Types.ObjectId;
  deliver: (message: M) => void;
  /** Epoch milliseconds. */
  since: number;
}

/**
 * Messages whose insert had an unknown outcome: stored perhaps, and nobody was told. Whoever comes first delivers them: the sender's retry
 * on this node, or a look once a second, until it is certain that they were not stored.
 */
export class Doubts<M extends StoredMessage> {
  private readonly waiting = new Map<string, Doubt<M>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly messages: MessageRepository<M>) {}

  add(id: Types.ObjectId, deliver: (message: M) => void): void {
    this.waiting.set(id.toHexString(), { id, deliver, since: Date.now() });
    const [oldest] = this.waiting.keys();
    if (this.waiting.size > MAX_DOUBTS && oldest !== undefined) this.waiting.delete(oldest);
    this.lookLater();
  }

  /** Whether the message was in doubt; it is no more, and the caller tells of it. */
  take(id: Types.ObjectId): boolean {
    return this.waiting.delete(id.toHexString());
  }

  private lookLater(): void {
    this.timer ??= setTimeout(() => {
      void this.look().finally(() => {
        this.timer = undefined;
        if (this.waiting.size > 0) this.lookLater();
      });
    }, LOOK_INTERVAL_MS).unref();
  }

  /** Never rejects: while the database is away the doubts stay. */
  private async look(): Promise<void> {
    const asked = [...this.waiting.values()];
    const found = await this.messages.findAll(asked.map(({ id }) => id)).catch(() => undefined);
    if (found === undefined) return;
    const stored = new Map(found.map((message) => [message._id.toHexString(), message]));
    for (const { id, deliver, since } of asked) {
      const message = stored.get(id.toHexString());
      // Its retry may have been faster than this look.
      if (message !== undefined && this.take(id)) deliver(message);
      else if (Date.now() - since > FINAL_AFTER_MS) this.take(id);
    }
  }
}
