import { LRUCache } from 'lru-cache';
import { AppError } from '../contract/errors.js';
import { AppendLine, type Appended, notStored, type Waiting } from './append-line.js';
import type { InsertOutcome, MessageRepository } from './message.repository.js';
import type { Draft, StoredMessage } from './stored-message.js';
import { Tails } from './tails.js';

/** Messages, of any conversations, that share a command. */
const MAX_COMMAND = 200;
/** Commands under way at a time; what comes meanwhile shares the next one. */
const MAX_COMMANDS = 3;
/** A try stores nothing when another node was faster. So many in a row are no race: the database does not show what it stores. */
const MAX_FRUITLESS_TRIES = 100;
const REMEMBERED_DOUBTS = 10_000;

/** What one line contributes to a command. */
interface Segment<M extends StoredMessage> {
  line: AppendLine<M>;
  entries: Waiting<M>[];
  messages: M[];
}

/**
 * The ordering that direct messages and chat rooms share (contract §3, "Sending"): gapless `seq` per conversation, idempotent append.
 * A message is inserted at last + 1 under a unique index, so message n exists only after n − 1, whatever node dies when.
 *
 * Those that are ready in the same turn of the event loop share one ordered insert, whichever conversations they are
 * of. A line has messages in one command at a time, in order, so message n of a conversation is only tried after n − 1; an ordered
 * insert stops at a conflict, and what came after it goes into the next command.
 *
 * Cost: one insert, shared; one read more when this node does not know the conversation's end or when another node was faster; one read
 * more for a repeated clientMessageId.
 */
export class Appender<M extends StoredMessage> {
  private readonly lines = new Map<string, AppendLine<M>>();
  /** Lines that wait for a command. */
  private readonly ready = new Set<AppendLine<M>>();
  private readonly tails: Tails<M>;
  /** Ids of messages whose insert had an unknown outcome: stored perhaps, delivered not. */
  private readonly inDoubt = new LRUCache<string, true>({ max: REMEMBERED_DOUBTS });
  private commandsUnderWay = 0;
  private isScheduled = false;

  constructor(private readonly messages: MessageRepository<M>) {
    this.tails = new Tails(messages);
  }

  /**
   * Stores a message at the end of its conversation. Messages of one conversation are stored, and `deliver` is called for them,
   * in the order of the calls; `deliver` is called once for a message that is new, when it is stored and before the promise resolves,
   * and never for a repeat.
   * @throws AppError CONFLICT when the sender used the clientMessageId in another conversation; UNAVAILABLE
   */
  append(draft: Draft<M>, deliver: (message: M) => void): Promise<Appended<M>> {
    const { conversationId } = draft;
    let line = this.lines.get(conversationId);
    if (line === undefined) this.lines.set(conversationId, (line = new AppendLine(conversationId)));
    const appended = line.append(draft, deliver);
    this.offer(line);
    return appended;
  }

  /** The line gets into a command when it has something and is in none; a line without work is dropped. */
  private offer(line: AppendLine<M>): void {
    if (line.isBusy) return;
    if (line.isEmpty) {
      this.ready.delete(line);
      this.lines.delete(line.conversationId);
      return;
    }
    this.ready.add(line);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled || this.commandsUnderWay >= MAX_COMMANDS) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      while (this.ready.size > 0 && this.commandsUnderWay < MAX_COMMANDS) this.startCommand();
    });
  }

  private startCommand(): void {
    const segments = this.collect();
    if (segments.length === 0) return;
    this.commandsUnderWay += 1;
    void this.run(segments).finally(() => {
      this.commandsUnderWay -= 1;
      for (const { line } of segments) this.release(line);
      if (this.ready.size > 0) this.schedule();
    });
  }

  /** Takes lines out of `ready`: those that can be numbered go into the command, the others ask the database first. */
  private collect(): Segment<M>[] {
    const segments: Segment<M>[] = [];
    let room = MAX_COMMAND;
    for (const line of this.ready) {
      if (room <= 0) break;
      this.ready.delete(line);
      line.isBusy = true;
      const entries = line.next(room);
      const drafts = entries.map(({ draft }) => draft);
      if (!this.tails.knows(line.conversationId, drafts)) {
        void this.learn(line, entries);
        continue;
      }
      room -= entries.length;
      segments.push({ line, entries, messages: this.tails.number(line.conversationId, drafts) });
    }
    return segments;
  }

  private async learn(line: AppendLine<M>, entries: Waiting<M>[]): Promise<void> {
    try {
      await this.tails.learn(
        line.conversationId,
        entries.map(({ draft }) => draft),
      );
      line.putBack(entries);
    } catch (error) {
      for (const { reject } of entries) reject(error);
      line.refuseAll(error);
    }
    this.release(line);
  }

  private release(line: AppendLine<M>): void {
    line.isBusy = false;
    this.offer(line);
  }

  /** Never rejects. */
  private async run(segments: Segment<M>[]): Promise<void> {
    let outcome: InsertOutcome;
    try {
      outcome = await this.messages.insertInOrder(segments.flatMap(({ messages }) => messages));
    } catch (error) {
      for (const segment of segments) this.giveUp(segment, error);
      return;
    }
    let left = outcome.inserted;
    for (const segment of segments) {
      const stored = Math.min(left, segment.entries.length);
      left -= stored;
      this.settle(segment, stored);
      const isMet = outcome.conflict !== undefined && left === 0 && segment.entries.length > stored;
      const conflict = isMet ? outcome.conflict : undefined;
      if (isMet) outcome = { inserted: outcome.inserted };
      if (segment.entries.length > stored)
        await this.handleRest(segment.line, segment.entries.slice(stored), conflict);
    }
  }

  private settle({ line, entries, messages }: Segment<M>, stored: number): void {
    for (const [index, entry] of entries.slice(0, stored).entries()) {
      const message = messages[index];
      if (message === undefined) continue;
      this.tails.advance(message);
      line.settle(entry, message, true);
    }
    if (stored > 0) line.fruitlessTries = 0;
  }

  /** What a command did not store of a line: the first of it met the conflict, if there is one, the rest was not tried. */
  private async handleRest(
    line: AppendLine<M>,
    rest: Waiting<M>[],
    conflict: InsertOutcome['conflict'],
  ): Promise<void> {
    try {
      if (conflict === 'seq') {
        this.tails.forget(line.conversationId);
        line.fruitlessTries += 1;
        if (line.fruitlessTries > MAX_FRUITLESS_TRIES) throw notStored();
      }
      if (conflict === 'clientMessageId') await this.settleRepeat(line, rest);
      line.putBack(rest);
    } catch (error) {
      this.giveUp({ line, entries: rest, messages: [] }, error);
    }
  }

  /** The first of `rest` is stored already, by an earlier try; takes it out. */
  private async settleRepeat(line: AppendLine<M>, rest: Waiting<M>[]): Promise<void> {
    const [repeat] = rest;
    if (repeat?.draft.clientMessageId === undefined) return;
    const stored = await this.messages.findByClientMessageId(repeat.draft, repeat.draft.clientMessageId);
    if (stored === null) return;
    rest.shift();
    if (stored.conversationId !== line.conversationId) {
      repeat.reject(new AppError('CONFLICT', 'This clientMessageId was used in another conversation.'));
      return;
    }
    // After an insert of unknown outcome nobody was told of the message; its retry is the time for it.
    line.settle(repeat, stored, this.inDoubt.delete(stored._id.toHexString()));
  }

  /** What was tried may be stored; what only waited is not, and would wait in vain. */
  private giveUp({ line, entries }: Segment<M>, error: unknown): void {
    this.tails.forget(line.conversationId);
    for (const { draft, reject } of entries) {
      this.inDoubt.set(draft._id.toHexString(), true);
      reject(error);
    }
    line.refuseAll(error);
    line.fruitlessTries = 0;
  }
}
