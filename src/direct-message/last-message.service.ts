import { setTimeout } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import type { DirectMessage } from './direct-message.schema.js';

/** A database that hangs must not hold up the shutdown. */
const FINISH_TIMEOUT_MS = 1000;

/**
 * Keeps `lastMessage` of conversations up to date behind the messages, which do not wait for it. At most one write at a time for a
 * conversation, of the newest message by then: a burst of messages costs two writes.
 */
@Injectable()
export class LastMessageService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LastMessageService.name);
  /** The newest message not yet noted, by conversation. */
  private readonly newest = new Map<string, DirectMessage>();
  private readonly writing = new Map<string, Promise<void>>();

  constructor(private readonly conversations: DirectConversationRepository) {}

  note(message: DirectMessage): void {
    const { conversationId, seq } = message;
    if ((this.newest.get(conversationId)?.seq ?? 0) < seq) this.newest.set(conversationId, message);
    if (this.writing.has(conversationId)) return;
    const writing = this.write(conversationId).finally(() => this.writing.delete(conversationId));
    this.writing.set(conversationId, writing);
  }

  /** Notes an edit, a deletion or a reaction. At most two round trips. */
  async noteChange(message: DirectMessage): Promise<void> {
    await this.writing.get(message.conversationId);
    await this.conversations.noteChangedMessage(message);
    await this.conversations.noteUpdate(message.conversationId);
  }

  /** After the last event was answered, before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.race([
      Promise.all(this.writing.values()),
      setTimeout(FINISH_TIMEOUT_MS, undefined, { ref: false }),
    ]);
  }

  /** Never rejects: the next message of the conversation makes up for a failure. */
  private async write(conversationId: string): Promise<void> {
    for (let message = this.newest.get(conversationId); message; message = this.newest.get(conversationId)) {
      this.newest.delete(conversationId);
      try {
        await this.conversations.noteLastMessage(message);
      } catch (error) {
        this.logger.warn(`lastMessage of a conversation was not noted: ${(error as Error).name}`);
      }
    }
  }
}
