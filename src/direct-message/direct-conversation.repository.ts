import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { AnyBulkWriteOperation, Model } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import { onConnectionLost } from '../database/connection-lost.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { DirectConversation } from './direct-conversation.schema.js';
import type { DirectMessage } from './direct-message.schema.js';
import { recipientOf, senderOf } from './message-rules.js';

/** Few, so that no message waits behind a long command. */
const MAX_NOTES_PER_COMMAND = 20;

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

/** Each method is one round trip, unless it says otherwise. */
@Injectable()
export class DirectConversationRepository implements OnModuleInit {
  constructor(@InjectModel(DirectConversation.name) private readonly model: Model<DirectConversation>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** Calls `forget` whenever the database was out of sight: it may have come back with less than it had. */
  onConnectionLost(forget: () => void): void {
    onConnectionLost(this.model.db, forget);
  }

  /** The two parties of a conversation; null when it does not exist, or is the former backend's and not migrated yet. */
  async findParticipants(conversationId: string): Promise<Party[] | null> {
    const filter = { _id: conversationId, members: { $exists: true } };
    const found = await this.model.findOne(filter, { participants: 1 }).lean();
    return found?.participants ?? null;
  }

  /** Makes the conversation unless it exists, however many nodes do so at once, and lists it for the members given. */
  async createIfMissing(
    conversationId: string,
    participants: Party[],
    members: Party[],
  ): Promise<DirectConversation> {
    const now = new Date();
    const make = () =>
      this.model
        .findOneAndUpdate(
          { _id: conversationId },
          {
            $setOnInsert: { participants, createdAt: now, updatedAt: now, activeAt: now, lastSeq: 0 },
            $addToSet: { members: { $each: members.map(partyKey) } },
          },
          { upsert: true, returnDocument: 'after' },
        )
        .lean();
    return make().catch((error: unknown) => {
      // Two upserts of one id at the same moment: the other one made it, and this one has its members to add.
      if (!isDuplicateKey(error, '_id')) throw error;
      return make();
    });
  }

  /**
   * Notes newest messages, of one conversation each; an older one that comes late, or an older version of one, changes nothing. And that
   * in other conversations something else changed. One round trip for each 20.
   */
  async note(messages: DirectMessage[], touched: string[] = []): Promise<void> {
    const updates = [...messages.map(lastMessageUpdate), ...touched.map(touch)];
    for (let at = 0; at < updates.length; at += MAX_NOTES_PER_COMMAND) {
      await this.model.bulkWrite(updates.slice(at, at + MAX_NOTES_PER_COMMAND), { ordered: false });
    }
  }

  /** Somebody's conversations, by index range: the cost is that of the page. */
  async page(member: Party, window: ConversationWindow): Promise<DirectConversation[]> {
    const { order, after, updatedAfter, limit } = window;
    return this.model
      .find({
        members: partyKey(member),
        ...(after !== undefined && {
          [order]: { $lte: after.at },
          $or: [{ [order]: { $lt: after.at } }, { _id: { $lt: after.id } }],
        }),
        ...(updatedAfter !== undefined && {
          updatedAt: { $gte: updatedAfter, ...(after && { $lte: after.at }) },
        }),
      })
      .sort({ [order]: -1, _id: -1 })
      .limit(limit)
      .lean();
  }
}

function touch(conversationId: string): AnyBulkWriteOperation<DirectConversation> {
  return { updateOne: { filter: { _id: conversationId }, update: { $currentDate: { updatedAt: true } } } };
}

/** $max for the times, because the clocks of two nodes may disagree with the order. */
function lastMessageUpdate(message: DirectMessage): AnyBulkWriteOperation<DirectConversation> {
  const { conversationId, seq, revision, content, timestamp } = message;
  const isBehind = { lastSeq: { $not: { $gte: seq } } };
  const isOlderVersion = { lastSeq: seq, lastRevision: { $not: { $gte: revision } } };
  return {
    updateOne: {
      filter: {
        _id: conversationId,
        ...(revision === undefined ? isBehind : { $or: [isBehind, isOlderVersion] }),
      },
      update: {
        $set: {
          lastSeq: seq,
          lastMessage: content,
          ...(revision !== undefined && { lastRevision: revision }),
        },
        ...(revision === undefined && { $unset: { lastRevision: 1 } }),
        $max: { lastMessageAt: timestamp, activeAt: timestamp },
        $addToSet: { members: { $each: [partyKey(senderOf(message)), partyKey(recipientOf(message))] } },
        $currentDate: { updatedAt: true },
      },
    },
  };
}
