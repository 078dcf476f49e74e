import { setTimeout as wait } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { isSameParty, type Party } from '../contract/identity.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import type { DirectMessage } from './direct-message.schema.js';

/** How long notes are collected before they are written, in milliseconds: a burst of messages costs one write. */
const COLLECT_MS = 250;
const RETRY_MS = 1000;
const MAX_NOTES_PER_COMMAND = 500;
/** A database that hangs must not hold up the shutdown. */
const FINISH_TIMEOUT_MS = 1000;

/**
 * Keeps `lastMessage` of conversations, and with it their order in lists, up to date behind the messages, which do not wait for it.
 * One command every 250 ms at the most, for all conversations together. What cannot be written stays and is tried again; what a node
 * that was killed had not written yet is found again by `LastMessageRepair`.
 */
@Injectable()
export class LastMessageService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LastMessageService.name);
  /** The newest message not yet noted, by conversation. Bounded by what is sent in `COLLECT_MS`, since nothing is while the database is away. */
  private pending = new Map<string, DirectMessage>();
  private underWay = new Map<string, DirectMessage>();
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isFailing = false;

  constructor(private readonly conversations: DirectConversationRepository) {}

  /** Returns at once. */
  note(message: DirectMessage): void {
    if (!isNewer(message, this.pending.get(message.conversationId))) return;
    this.pending.set(message.conversationId, message);
    this.writeLater(COLLECT_MS);
  }

  /** After an edit, a deletion or a reaction; resolves when conversation lists show it. Never rejects. Two writes, side by side. */
  async noteChange(message: DirectMessage): Promise<void> {
    this.note(message);
    const { conversationId } = message;
    const touched = this.conversations.touch(conversationId).catch((error: unknown) => this.warn(error));
    await Promise.all([touched, this.settledWhere((noted) => noted.conversationId === conversationId)]);
  }

  /** Resolves when what this node has stored for the party is noted, or could not be. No round trip when there is nothing to note. */
  async settled(party: Party): Promise<void> {
    await this.settledWhere(
      ({ senderId, senderType, recipientId, recipientType }) =>
        isSameParty(party, { id: senderId, type: senderType }) ||
        isSameParty(party, { id: recipientId, type: recipientType }),
    );
  }

  /** After the last event was answered, before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.race([this.settledWhere(() => true), wait(FINISH_TIMEOUT_MS, undefined, { ref: false })]);
    clearTimeout(this.timer);
  }

  private async settledWhere(concerns: (message: DirectMessage) => boolean): Promise<void> {
    if ([...this.underWay.values()].some(concerns)) await this.writing;
    if ([...this.pending.values()].some(concerns)) {
      await this.writing;
      await this.write();
    }
  }

  private writeLater(delayMs: number): void {
    this.timer ??= setTimeout(() => void this.write(), delayMs);
  }

  /** One at a time. Never rejects. */
  private write(): Promise<void> {
    this.writing ??= this.writePending().finally(() => {
      this.writing = undefined;
      if (this.pending.size > 0) this.writeLater(this.isFailing ? RETRY_MS : COLLECT_MS);
    });
    return this.writing;
  }

  private async writePending(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    [this.underWay, this.pending] = [this.pending, new Map<string, DirectMessage>()];
    try {
      const messages = [...this.underWay.values()];
      for (let at = 0; at < messages.length; at += MAX_NOTES_PER_COMMAND) {
        await this.conversations.noteLastMessages(messages.slice(at, at + MAX_NOTES_PER_COMMAND));
      }
      this.isFailing = false;
    } catch (error) {
      this.warn(error);
      this.isFailing = true;
      for (const [id, message] of this.underWay)
        if (isNewer(message, this.pending.get(id))) this.pending.set(id, message);
    }
    this.underWay.clear();
  }

  private warn(error: unknown): void {
    // Once for each outage: the next tries would only say the same.
    if (!this.isFailing)
      this.logger.warn(`lastMessage of conversations was not noted: ${(error as Error).name}`);
  }
}

/** A later message, or a later version of the same one. */
function isNewer(message: DirectMessage, than: DirectMessage | undefined): boolean {
  if (than === undefined) return true;
  return message.seq === than.seq ? (message.revision ?? 0) > (than.revision ?? 0) : message.seq > than.seq;
}
