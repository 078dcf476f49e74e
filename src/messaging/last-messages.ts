import { setTimeout as wait } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Logger } from '@nestjs/common';
import type { Party } from '../contract/identity.js';
import { type Concerned, type NotableMessage, Notes } from './last-message-notes.js';

/** How long notes are collected before they are written, in milliseconds: a burst of messages costs one write. */
const COLLECT_MS = 250;
const RETRY_MS = 1000;
/** A database that hangs must not hold up the shutdown. */
const FINISH_TIMEOUT_MS = 1000;

/** Where it is noted: one kind of conversations. */
export interface NotedConversations<M> {
  /** Newest messages, of one conversation each; an older one that comes late, or an older version of one, changes nothing. And that in others something else changed. */
  note(messages: M[], touched?: string[]): Promise<void>;
}

/**
 * Keeps what conversations say of themselves up to date behind messages and marks, which do not wait for it: `lastMessage`, and with it
 * their order in lists, and `updatedAt`. All conversations together, every 250 ms, and at once when somebody waits for it. What
 * cannot be written stays and is tried again; what a node that was killed had not written yet is found again by `LastMessageRepair`.
 */
export class LastMessages<M extends NotableMessage> implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LastMessages.name);
  private pending: Notes<M>;
  private underWay: Notes<M>;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isFailing = false;

  /** @param partiesOf whose conversation a message is of, where the message says so */
  constructor(
    private readonly conversations: NotedConversations<M>,
    private readonly partiesOf: (message: M) => Concerned,
  ) {
    this.pending = new Notes(partiesOf);
    this.underWay = new Notes(partiesOf);
  }

  /** A new message. Returns at once. */
  note(message: M): void {
    this.pending.addMessage(message);
    this.writeLater(COLLECT_MS);
  }

  /** After an edit, a deletion or a reaction; resolves when conversation lists show it, or could not be made to. Never rejects. */
  async noteChange(message: M): Promise<void> {
    this.pending.addMessage(message);
    await this.touch(message.conversationId, this.partiesOf(message));
  }

  /** Something else in the conversation changed, which those who ask for changes are to see. As `noteChange`. */
  async touch(conversationId: string, concerned: Concerned): Promise<void> {
    this.pending.addTouch(conversationId, concerned);
    await this.writeAll();
  }

  /** Resolves when what this node knows to have changed for the party is noted, or could not be. No round trip when there is nothing. */
  async settled(party: Party): Promise<void> {
    if (this.underWay.concern(party)) await this.writing;
    if (this.pending.concern(party)) await this.writeAll();
  }

  /** After the last event was answered, before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.race([this.writeAll(), wait(FINISH_TIMEOUT_MS, undefined, { ref: false })]);
    clearTimeout(this.timer);
  }

  /** Everything that is pending now, after what is under way. */
  private async writeAll(): Promise<void> {
    await this.writing;
    await this.write();
  }

  private writeLater(delayMs: number): void {
    this.timer ??= setTimeout(() => void this.write(), delayMs).unref();
  }

  /** One at a time. Never rejects. */
  private write(): Promise<void> {
    this.writing ??= this.writePending().finally(() => {
      this.writing = undefined;
      if (!this.pending.isEmpty) this.writeLater(this.isFailing ? RETRY_MS : COLLECT_MS);
    });
    return this.writing;
  }

  private async writePending(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending.isEmpty) return;
    [this.underWay, this.pending] = [this.pending, new Notes(this.partiesOf)];
    try {
      await this.conversations.note(this.underWay.messages, this.underWay.touched);
      this.isFailing = false;
    } catch (error) {
      // Once for each outage: the next tries would only say the same.
      if (!this.isFailing)
        this.logger.warn(`Conversations were not brought up to date: ${(error as Error).name}`);
      this.isFailing = true;
      this.pending.addAll(this.underWay);
    }
    this.underWay = new Notes(this.partiesOf);
  }
}
