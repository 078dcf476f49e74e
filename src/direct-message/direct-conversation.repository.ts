import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import { onConnectionLost } from '../database/connection-lost.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { type ConversationWindow, filterOf } from '../messaging/conversation-window.js';
import { type Note, noteOf, touchOf, writeNotes } from '../messaging/noted-conversation.js';
import { DirectConversation } from './direct-conversation.schema.js';
import type { DirectMessage } from './direct-message.schema.js';
import { recipientOf, senderOf } from './message-rules.js';

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
    await writeNotes(this.model, [...messages.map(lastMessageUpdate), ...touched.map(touchOf)]);
  }

  /** Somebody's conversations, by index range: the cost is that of the page. One more than the window's limit. */
  async page(member: Party, window: ConversationWindow): Promise<DirectConversation[]> {
    return this.model
      .find({ members: partyKey(member), ...filterOf(window) })
      .sort({ [window.order]: -1, _id: -1 })
      .limit(window.limit + 1)
      .lean();
  }
}

function lastMessageUpdate(message: DirectMessage): Note {
  const members = { $each: [partyKey(senderOf(message)), partyKey(recipientOf(message))] };
  return noteOf(message, { $addToSet: { members } });
}
