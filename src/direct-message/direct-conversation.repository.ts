import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, mongo } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { DirectConversation } from './direct-conversation.schema.js';
import type { DirectMessage } from './direct-message.schema.js';

const DUPLICATE_KEY = 11_000;

/** Each method is one round trip. */
@Injectable()
export class DirectConversationRepository {
  constructor(@InjectModel(DirectConversation.name) private readonly model: Model<DirectConversation>) {}

  /** The two parties of a conversation; null when it does not exist. */
  async findParticipants(conversationId: string): Promise<Party[] | null> {
    const found = await this.model.findById(conversationId, { participants: 1 }).lean();
    return found?.participants ?? null;
  }

  /** Makes the conversation unless it exists: any number of nodes may do so at once. */
  async createIfMissing(conversationId: string, participants: Party[]): Promise<void> {
    try {
      await this.model.updateOne(
        { _id: conversationId },
        { $setOnInsert: { participants, createdAt: new Date() } },
        { upsert: true },
      );
    } catch (error) {
      // Two upserts of one id at the same moment: the other one made it.
      if (!(error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY)) throw error;
    }
  }

  /** Notes the newest message; an older one that comes late changes nothing. */
  async noteLastMessage({ conversationId, seq, content, timestamp }: DirectMessage): Promise<void> {
    await this.model.updateOne(
      { _id: conversationId, $or: [{ lastSeq: { $lt: seq } }, { lastSeq: { $exists: false } }] },
      { $set: { lastMessage: content, lastMessageAt: timestamp, lastSeq: seq } },
    );
  }
}
