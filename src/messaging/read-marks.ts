import type { Party } from '../contract/identity.js';
import type { MarkRepository } from './mark.repository.js';
import { markId } from './mark.schema.js';
import type { MessageRepository } from './message.repository.js';
import type { Place, StoredMessage } from './stored-message.js';

/** A read mark that has just moved. */
export interface AdvancedRead {
  /** Where it was; 0 when there was none. */
  readBefore: number;
  /** How many messages of others are read now. */
  others: number;
  readAt: Date;
}

/** Where a read mark stands. */
export interface ReadStanding {
  upToSeq: number;
  unreadCount: number;
}

/**
 * Read marks of one kind of conversation, and what is unread behind them (contract §3): one's own messages never count, a mark only goes
 * forward, and nothing is ever counted.
 */
export class ReadMarks<M extends StoredMessage> {
  constructor(
    private readonly messages: MessageRepository<M>,
    private readonly marks: MarkRepository,
  ) {}

  /** Moves the mark to a message that exists; null when it was there already, or further on. Two round trips, three when nothing moves. */
  async advance(own: Party, place: Place): Promise<AdvancedRead | null> {
    const readAt = new Date();
    const others = await this.messages.countOthers(own, place);
    const moved = await this.marks.advanceRead(own, place.conversationId, { seq: place.seq, others }, readAt);
    if (moved === null) return null;
    const { readSeq = 0, readOthers = 0 } = moved.before ?? {};
    return { readBefore: readSeq, others: Math.max(others, readOthers), readAt };
  }

  /**
   * How many messages up to `last`, the newest one, are unread. One round trip, or none when the newest is one's own.
   * @param readOthers how many messages of others are read
   */
  async unreadCount(own: Party, last: Place | null, readOthers: number): Promise<number> {
    // A mark may have moved past the message that was read at the same time.
    return Math.max((await this.messages.countOthers(own, last)) - readOthers, 0);
  }

  /** Two database waits. @param known messages of others that count as read even without a mark */
  async standing(own: Party, conversationId: string, known = 0): Promise<ReadStanding> {
    const id = markId(own, conversationId);
    const [marks, last] = await Promise.all([
      this.marks.findAll([id]),
      this.messages.lastPlace(conversationId),
    ]);
    const mark = marks.get(id);
    const unreadCount = await this.unreadCount(own, last, Math.max(mark?.readOthers ?? 0, known));
    return { upToSeq: mark?.readSeq ?? 0, unreadCount };
  }
}
