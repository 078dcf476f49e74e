import type { mongo } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import type { FoundConversation } from './conversation-lookup.js';
import type { LegacyStore } from './legacy-store.js';
import { toDate } from './legacy-values.js';
import { Marks } from './marks.js';

/**
 * Writes a conversation's document: participants before its first message gets a place, so that it can be read from then on, and what it
 * says of its newest message after its last. In between it carries `migrating`, by which the next run finds what a killed one left.
 */
export class ConversationWriter {
  private readonly marks: Marks;

  constructor(private readonly store: LegacyStore) {
    this.marks = new Marks(store);
  }

  /** @param since when the conversation began, if its document does not say */
  async begin({ conversationId, pair, source }: FoundConversation, since: Date): Promise<void> {
    const createdAt = toDate(source.createdAt) ?? since;
    const lastMessageAt = toDate(source.lastMessageAt);
    const isText = source.lastMessage === undefined || typeof source.lastMessage === 'string';
    await this.store.conversations.updateOne(
      { _id: conversationId as never },
      {
        $set: { participants: pair, members: pair.map(partyKey), createdAt, migrating: true },
        $max: { lastSeq: 0, activeAt: lastMessageAt ?? createdAt, ...(lastMessageAt && { lastMessageAt }) },
        ...(!isText && { $unset: { lastMessage: 1 } }),
        $currentDate: { updatedAt: true },
      },
      { upsert: true },
    );
  }

  /** What is newer than the newest message that was seen here is left as it is. */
  async finish(conversationId: string, pair: Party[]): Promise<void> {
    await this.marks.derive(conversationId, pair);
    const newest = await this.store.newestMessage(conversationId);
    const _id = conversationId as never;
    const operations: mongo.AnyBulkWriteOperation[] = [];
    if (newest !== null) {
      const { seq, content } = newest;
      const timestamp = (await this.store.lastTime(conversationId)) ?? newest.timestamp;
      const said = {
        lastSeq: seq,
        lastMessage: content,
        lastRevision: newest.revision ?? 0,
      };
      const update = { $set: said, $max: { lastMessageAt: timestamp, activeAt: timestamp } };
      operations.push({ updateOne: { filter: { _id, lastSeq: { $not: { $gt: seq } } }, update } });
    }
    const done = { $unset: { migrating: 1 }, $currentDate: { updatedAt: true } };
    operations.push({ updateOne: { filter: { _id }, update: done } as never });
    await this.store.conversations.bulkWrite(operations, { ordered: true });
  }
}
