import { AppError } from '../contract/errors.js';
import { AppendLine, type Appended, idempotencyKey, notStored, type Waiting } from './append-line.js';
import { Doubts } from './doubts.js';
import type { InsertOutcome, MessageRepository } from './message.repository.js';
import type { Draft, StoredMessage } from './stored-message.js';
import { Tails } from './tails.js';

/** Messages, of any conversations, that share a command. */
const MAX_COMMAND = 200;
/** Commands under way at a time; what comes meanwhile shares the next one. */
const MAX_COMMANDS = 3;
/** A try stores nothing when another node was faster. So many in a row are no race: the database does not show what it stores. */
const MAX_FRUITLESS_TRIES = 100;

/** What one line contributes to a command, or what of it was not stored. */
interface Rest<M extends StoredMessage> {
  line: AppendLine<M>;
  entries: Waiting<M>[];
}

interface Segment<M extends StoredMessage> extends Rest<M> {
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
 * Cost: one insert, shared; one read more when this node does not know the conversation's end or when another node was faster. A command
 * that meets a repeated clientMessageId costs all behind it one read, shared, and another insert.
 */
export class Appender<M extends StoredMessage> {
  private readonly lines = new Map<string, AppendLine<M>>();
  /** Lines that wait for a command. */
  private readonly ready = new Set<AppendLine<M>>();
  private readonly tails: Tails<M>;
  private readonly doubts: Doubts<M>;
  private commandsUnderWay = 0;
  private isScheduled = false;

  constructor(private readonly messages: MessageRepository<M>) {
    this.tails = new Tails(messages);
    this.doubts = new Doubts(messages);
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
    void this.run(segments).then((met) => {
      this.commandsUnderWay -= 1;
      for (const { line } of segments) if (line !== met) this.release(line);
      // Last, so that whoever meets a conflict next does not stand in front of all others again.
      if (met !== undefined) this.release(met);
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
      if (entries.length === 0) {
        this.release(line);
        continue;
      }
      const drafts = entries.map(({ draft }) => draft);
      const isUncertain = !line.hasLearned && this.tails.isContended(line.conversationId);
      line.hasLearned = false;
      if (isUncertain || !this.tails.knows(line.conversationId, drafts)) {
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
      line.hasLearned = true;
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

  /** Returns the line that met a conflict, if one did. Never rejects. */
  private async run(segments: Segment<M>[]): Promise<AppendLine<M> | undefined> {
    let outcome: InsertOutcome;
    try {
      outcome = await this.messages.insertInOrder(segments.flatMap(({ messages }) => messages));
    } catch (error) {
      for (const segment of segments) this.giveUp(segment, error);
      return undefined;
    }
    const rests = this.settleStored(segments, outcome.inserted);
    const [met] = rests;
    if (met === undefined) return undefined;
    try {
      if (outcome.conflict === 'seq') this.noteLostRace(met);
      if (outcome.conflict === 'clientMessageId') await this.settleRepeats(rests);
      // Nothing is wrong with the others: this one message the database does not take.
      if (outcome.conflict === 'other') met.entries.shift()?.reject(outcome.error);
      for (const { line, entries } of rests) line.putBack(entries);
    } catch (error) {
      for (const rest of rests) this.refuse(rest, error);
    }
    return met.line;
  }

  /** Returns what was not stored, by line and in order: the first of it met the conflict, the others were not tried. */
  private settleStored(segments: Segment<M>[], inserted: number): Rest<M>[] {
    let left = inserted;
    return segments.flatMap(({ line, entries, messages }) => {
      const stored = Math.min(left, entries.length);
      left -= stored;
      for (const [index, entry] of entries.slice(0, stored).entries()) {
        const message = messages[index] as M;
        this.tails.advance(message);
        line.settle(entry, message, true);
      }
      if (stored > 0) line.fruitlessTries = 0;
      return stored < entries.length ? [{ line, entries: entries.slice(stored) }] : [];
    });
  }

  /** @throws AppError UNAVAILABLE when it was lost too often */
  private noteLostRace({ line }: Rest<M>): void {
    this.tails.lostRace(line.conversationId);
    line.fruitlessTries += 1;
    if (line.fruitlessTries > MAX_FRUITLESS_TRIES) throw notStored();
  }

  /** Takes out of `rests` what an earlier try has stored. Clients repeat many at once, so all are looked up when one was met: one read. */
  private async settleRepeats(rests: Rest<M>[]): Promise<void> {
    const drafts = rests.flatMap(({ entries }) => entries.map(({ draft }) => draft));
    const found = await this.messages.findByClientMessageIds(
      drafts.filter(({ clientMessageId }) => clientMessageId !== undefined),
    );
    const stored = new Map(found.map((message) => [idempotencyKey(message), message]));
    for (const rest of rests) {
      rest.entries = rest.entries.filter((entry) => {
        const message =
          entry.draft.clientMessageId === undefined ? undefined : stored.get(idempotencyKey(entry.draft));
        if (message !== undefined) this.settleRepeat(rest.line, entry, message);
        return message === undefined;
      });
    }
  }

  private settleRepeat(line: AppendLine<M>, entry: Waiting<M>, stored: M): void {
    if (stored.conversationId === line.conversationId) {
      // After an insert of unknown outcome nobody was told of the message; its retry is the time for it.
      line.settle(entry, stored, this.doubts.take(stored._id));
    } else {
      entry.reject(new AppError('CONFLICT', 'This clientMessageId was used in another conversation.'));
    }
  }

  /** What was tried may be stored; what only waited is not, and would wait in vain. */
  private giveUp(segment: Segment<M>, error: unknown): void {
    for (const { draft, deliver } of segment.entries) this.doubts.add(draft._id, deliver);
    this.refuse(segment, error);
  }

  private refuse({ line, entries }: Rest<M>, error: unknown): void {
    this.tails.forget(line.conversationId);
    for (const { reject } of entries) reject(error);
    line.refuseAll(error);
    line.fruitlessTries = 0;
  }
}
