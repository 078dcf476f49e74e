import type { QueryFilter } from 'mongoose';
import { AppError } from '../contract/errors.js';
import { fromCursor, toCursor } from './conversation-cursor.js';
import type { ConversationsDto } from './conversations.dto.js';

const DEFAULT_LIMIT = 20;

/** Which of somebody's conversations to read, newest first by `order`. */
export interface ConversationWindow {
  order: 'activeAt' | 'updatedAt';
  /** The last one of the page before. */
  after?: ConversationPosition;
  /** Only those that changed then or later: two changes may share a millisecond. */
  updatedAfter?: Date;
  limit: number;
}

/** The place of a conversation in a list. */
export interface ConversationPosition {
  at: Date;
  id: string;
}

/** What every kind of conversation can be listed by. */
export interface ListedConversation {
  _id: string;
  activeAt: Date;
  updatedAt: Date;
}

/**
 * What changed last comes first when changes are asked for, else what was said last.
 * @throws AppError BAD_REQUEST for a cursor or a time that is none
 */
export function windowOf({ cursor, limit, updatedAfter }: ConversationsDto): ConversationWindow {
  const changes = updatedAfter ? new Date(updatedAfter) : undefined;
  if (changes !== undefined && Number.isNaN(changes.getTime())) {
    throw AppError.badField('updatedAfter', 'updatedAfter must be a time in ISO 8601');
  }
  return {
    order: changes === undefined ? 'activeAt' : 'updatedAt',
    after: cursor ? fromCursor(cursor) : undefined,
    updatedAfter: changes,
    limit: limit ?? DEFAULT_LIMIT,
  };
}

/** What a window adds to a filter; one conversation more than its limit tells whether there is a next page. */
export function filterOf({
  order,
  after,
  updatedAfter,
}: ConversationWindow): QueryFilter<ListedConversation> {
  return {
    ...(after !== undefined && {
      [order]: { $lte: after.at },
      $or: [{ [order]: { $lt: after.at } }, { _id: { $lt: after.id } }],
    }),
    ...(updatedAfter !== undefined && {
      updatedAt: { $gte: updatedAfter, ...(after && { $lte: after.at }) },
    }),
  };
}

/** The window's page of what was found with `limit + 1`, and the cursor of the next one; null on the last. */
export function pageOf<C extends ListedConversation>(
  found: C[],
  { limit, order }: ConversationWindow,
): { page: C[]; nextCursor: string | null } {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const hasMore = found.length > page.length && last !== undefined;
  return { page, nextCursor: hasMore ? toCursor({ at: last[order], id: last._id }) : null };
}
