import type { Appended } from './append-line.js';
import { Appender } from './appender.js';
import type { MessageRepository } from './message.repository.js';
import type { Draft, StoredMessage } from './stored-message.js';

/** Which part of a conversation to read. With a seq bound, `page` says nothing. */
export interface HistoryWindow {
  /** 1 = the newest `limit` messages, 2 = those before, … */
  page: number;
  limit: number;
  beforeSeq?: number;
  afterSeq?: number;
}

export interface HistorySlice<M> {
  /** Oldest first. */
  messages: M[];
  /** Messages in the whole conversation. */
  total: number;
  /** More lie beyond, in the direction of reading. */
  hasMore: boolean;
}

/**
 * The ordering that direct messages and chat rooms share (contract §3, "Sending"): gapless `seq` per conversation, idempotent append,
 * history. A message is inserted at last + 1 under a unique index, so message n exists only after n − 1, whatever node dies when.
 *
 * Cost: one insert, shared by all messages that are ready together; one or two reads more when this node does not know the
 * conversation's end, or when another node was faster; one read more for a repeated clientMessageId.
 */
export class MessageLog<M extends StoredMessage> {
  private readonly appender: Appender<M>;

  constructor(private readonly messages: MessageRepository<M>) {
    this.appender = new Appender(messages);
  }

  /**
   * Stores a message at the end of its conversation. Messages of one conversation are stored, and `deliver` is called for them,
   * in the order of the calls; `deliver` is called once for a message that is new, when it is stored and before the promise resolves,
   * and never for a repeat.
   * @throws AppError CONFLICT when the sender used the clientMessageId in another conversation; UNAVAILABLE
   */
  append(draft: Draft<M>, deliver: (message: M) => void): Promise<Appended<M>> {
    return this.appender.append(draft, deliver);
  }

  /** The page or the stretch asked for, by index range: its cost does not grow with the conversation. One or two reads. */
  async history(
    conversationId: string,
    { page, limit, beforeSeq, afterSeq }: HistoryWindow,
  ): Promise<HistorySlice<M>> {
    if (afterSeq !== undefined) return this.after(conversationId, afterSeq, limit);
    if (beforeSeq !== undefined) return this.before(conversationId, beforeSeq, limit);
    if (page === 1) {
      const newest = await this.messages.range(conversationId, {}, -1, limit);
      return olderSlice(newest, newest[0]?.seq ?? 0);
    }
    const total = await this.messages.lastSeq(conversationId);
    const below = total - (page - 1) * limit + 1;
    const older = below <= 1 ? [] : await this.messages.range(conversationId, { below }, -1, limit);
    return olderSlice(older, total);
  }

  private async after(conversationId: string, afterSeq: number, limit: number): Promise<HistorySlice<M>> {
    const [messages, last] = await Promise.all([
      this.messages.range(conversationId, { above: afterSeq }, 1, limit),
      this.messages.lastSeq(conversationId),
    ]);
    // The two reads may straddle a new message, so each corrects the other.
    const reached = messages.at(-1)?.seq;
    return { messages, total: Math.max(last, reached ?? 0), hasMore: (reached ?? afterSeq) < last };
  }

  private async before(conversationId: string, beforeSeq: number, limit: number): Promise<HistorySlice<M>> {
    const [older, total] = await Promise.all([
      this.messages.range(conversationId, { below: beforeSeq }, -1, limit),
      this.messages.lastSeq(conversationId),
    ]);
    return olderSlice(older, total);
  }
}

function olderSlice<M extends StoredMessage>(newestFirst: M[], total: number): HistorySlice<M> {
  const messages = newestFirst.toReversed();
  return { messages, total, hasMore: (messages[0]?.seq ?? 1) > 1 };
}
