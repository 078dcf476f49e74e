import type { Model } from 'mongoose';
import type { NotableMessage } from './last-message-notes.js';

/** Few, so that no message waits behind a long command. */
const MAX_NOTES_PER_COMMAND = 20;

/** A write to one conversation, as a bulk write wants it. */
export interface Note {
  updateOne: { filter: object; update: object };
}

/**
 * The write that notes a newest message; an older one that comes late, or an older version of one, changes nothing. $max for the times,
 * because the clocks of two nodes may disagree with the order.
 * @param also what else is noted with it
 */
export function noteOf(
  { conversationId, seq, revision, content, timestamp }: NotableMessage,
  also: object = {},
): Note {
  const isBehind = { lastSeq: { $not: { $gte: seq } } };
  const isOlderVersion = { lastSeq: seq, lastRevision: { $not: { $gte: revision } } };
  return {
    updateOne: {
      filter: {
        _id: conversationId,
        ...(revision === undefined ? isBehind : { $or: [isBehind, isOlderVersion] }),
      },
      update: {
        ...also,
        $set: {
          lastSeq: seq,
          lastMessage: content,
          ...(revision !== undefined && { lastRevision: revision }),
        },
        ...(revision === undefined && { $unset: { lastRevision: 1 } }),
        $max: { lastMessageAt: timestamp, activeAt: timestamp },
        $currentDate: { updatedAt: true },
      },
    },
  };
}

/** The write that notes that something else changed. */
export function touchOf(conversationId: string): Note {
  return {
    updateOne: { filter: { _id: conversationId }, update: { $currentDate: { updatedAt: true } } },
  };
}

/** One round trip for each 20. */
export async function writeNotes<C>(model: Model<C>, notes: Note[]): Promise<void> {
  for (let at = 0; at < notes.length; at += MAX_NOTES_PER_COMMAND)
    await model.bulkWrite(notes.slice(at, at + MAX_NOTES_PER_COMMAND), { ordered: false });
}
