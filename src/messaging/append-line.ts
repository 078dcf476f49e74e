import { Logger } from '@nestjs/common';
import { AppError } from '../contract/errors.js';
import { stackOf } from '../logging/stack-of.js';
import type { Idempotent } from './message.repository.js';
import type { Draft, StoredMessage } from './stored-message.js';

/** Messages of one conversation that share a command. */
const MAX_BATCH = 100;
/** Messages of one conversation that wait on this node; more are refused at once. */
const MAX_WAITING = 1000;
/** A message that has waited this long is refused instead of stored: its sender has been told so, or is about to be. Milliseconds. */
const MAX_WAIT_MS = 4000;

/** What an append came to: `isNew` is false when the message had been stored before, by an earlier try. */
export interface Appended<M> {
  message: M;
  isNew: boolean;
}

/** A message that waits for its place. */
export interface Waiting<M extends StoredMessage> {
  draft: Draft<M>;
  /** Epoch milliseconds. */
  since: number;
  deliver: (message: M) => void;
  resolve: (appended: Appended<M>) => void;
  reject: (error: unknown) => void;
}

/** Those who wait for a place in one conversation, on this node. At most one command at a time carries messages of a line. */
export class AppendLine<M extends StoredMessage> {
  private readonly logger = new Logger(AppendLine.name);
  private waiting: Waiting<M>[] = [];
  /** Appends under way by sender and clientMessageId: a repeat waits for the first instead of asking the database. */
  private readonly underWay = new Map<string, Promise<Appended<M>>>();
  /** Whether a command, or a look-up that a command needs, is under way. */
  isBusy = false;
  /** Commands in a row that stored nothing of this line because another node was faster. */
  fruitlessTries = 0;

  constructor(readonly conversationId: string) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  append(draft: Draft<M>, deliver: (message: M) => void): Promise<Appended<M>> {
    const key = idempotencyKey(draft);
    const first = key === undefined ? undefined : this.underWay.get(key);
    if (first !== undefined) return first.then(({ message }) => ({ message, isNew: false }));

    if (this.waiting.length >= MAX_WAITING) return Promise.reject(notStored());
    const appended = new Promise<Appended<M>>((resolve, reject) => {
      this.waiting.push({ draft, since: Date.now(), deliver, resolve, reject });
    });
    if (key !== undefined) this.rememberWhileUnderWay(key, appended);
    return appended;
  }

  /** Takes out the next messages for a command, at most `limit`. Those that have waited too long are refused. */
  next(limit: number): Waiting<M>[] {
    const oldest = Date.now() - MAX_WAIT_MS;
    const expired = this.waiting.findIndex(({ since }) => since >= oldest);
    for (const { reject } of this.waiting.splice(0, expired < 0 ? this.waiting.length : expired))
      reject(notStored());
    return this.waiting.splice(0, Math.min(limit, MAX_BATCH));
  }

  /** Puts back, in front, what a command did not come to. */
  putBack(entries: Waiting<M>[]): void {
    this.waiting = [...entries, ...this.waiting];
  }

  /** Refuses all that wait. */
  refuseAll(error: unknown): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  /** Tells of a message that is stored. */
  settle(entry: Waiting<M>, message: M, isNew: boolean): void {
    try {
      if (isNew) entry.deliver(message);
    } catch (error) {
      this.logger.error('A stored message could not be delivered', stackOf(error));
    }
    entry.resolve({ message, isNew });
  }

  private rememberWhileUnderWay(key: string, appended: Promise<Appended<M>>): void {
    const forget = (): boolean => this.underWay.delete(key);
    this.underWay.set(key, appended);
    appended.then(forget, forget);
  }
}

export function notStored(): AppError {
  return new AppError('UNAVAILABLE', 'The message could not be stored. Try again.');
}

/** Undefined for a message without clientMessageId, which repeats nothing. */
export function idempotencyKey({ senderType, senderId, clientMessageId }: Idempotent): string | undefined {
  return clientMessageId === undefined ? undefined : JSON.stringify([senderType, senderId, clientMessageId]);
}
