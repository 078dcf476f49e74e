import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { DirectConversation, memberKey } from './direct-conversation.schema.js';
import type { DirectMessage } from './direct-message.schema.js';

/** Each method is one round trip. */
@Injectable()
export class DirectConversationRepository {
  constructor(@InjectModel(DirectConversation.name) private readonly model: Model<DirectConversation>) {}

  /** Calls `forget` whenever the database was out of sight: it may have come back with less than it had. */
  onConnectionLost(forget: () => void): void {
    this.model.db.on('disconnected', forget);
  }

  /** The two parties of a conversation; null when it does not exist, or is the former backend's and not migrated yet. */
  async findParticipants(conversationId: string): Promise<Party[] | null> {
    const filter = { _id: conversationId, members: { $exists: true } };
    const found = await this.model.findOne(filter, { participants: 1 }).lean();
    return found?.participants ?? null;
  }

  /** Makes the conversation unless it exists, however many nodes do so at once. */
  async createIfMissing(conversationId: string, participants: Party[]): Promise<void> {
    const now = new Date();
    const members = participants.map(memberKey);
    try {
      await this.model.updateOne(
        { _id: conversationId },
        {
          $setOnInsert: { participants, members, createdAt: now, updatedAt: now, activeAt: now, lastSeq: 0 },
        },
        { upsert: true },
      );
    } catch (error) {
      // Two upserts of one id at the same moment: the other one made it.
      if (!isDuplicateKey(error, '_id')) throw error;
    }
  }

  /** Notes the newest message; an older one that comes late changes nothing. */
  async noteLastMessage({ conversationId, seq, content, timestamp }: DirectMessage): Promise<void> {
    await this.model.updateOne(
      { _id: conversationId, lastSeq: { $not: { $gte: seq } } },
      // $max, because the clocks of two nodes may disagree with the order.
      { $set: { lastMessage: content, lastSeq: seq }, $max: { lastMessageAt: timestamp } },
    );
  }
}
