import type { HistoryDto } from './conversation.dto.js';
import type { MessageRepository } from './message.repository.js';
import type { StoredMessage } from './stored-message.js';

const DEFAULT_LIMIT = 50;

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

export function historyWindowOf({ page, limit, beforeSeq, afterSeq }: HistoryDto): HistoryWindow {
  return {
    page: page ?? 1,
    limit: limit ?? DEFAULT_LIMIT,
    beforeSeq: beforeSeq ?? undefined,
    afterSeq: afterSeq ?? undefined,
  };
}

/**
 * Messages of a conversation by page or by seq (contract §3), by index range: the cost is that of the page and does not grow with
 * the conversation. One wait; two for an older page.
 */
export class MessageHistory<M extends StoredMessage> {
  constructor(private readonly messages: MessageRepository<M>) {}

  async read(
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
