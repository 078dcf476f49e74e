import { AppError } from '../contract/errors.js';
import type { ConversationPosition } from './conversation-window.js';

/** A place in a list of conversations as an opaque text for clients. */
export function toCursor({ at, id }: ConversationPosition): string {
  return Buffer.from(JSON.stringify([at.getTime(), id])).toString('base64url');
}

/** @throws AppError BAD_REQUEST */
export function fromCursor(cursor: string): ConversationPosition {
  try {
    const [time, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown, unknown];
    const at = new Date(time as number);
    if (typeof time === 'number' && typeof id === 'string' && !Number.isNaN(at.getTime())) return { at, id };
  } catch {
    // Falls through: whatever is wrong with it, the client is told the same.
  }
  throw AppError.badField('cursor', 'cursor must be the nextCursor of another page');
}
