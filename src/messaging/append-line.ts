import { Logger } from '@nestjs/common';
import { AppError } from '../contract/errors.js';
import { partyKey } from '../contract/identity.js';
import { stackOf } from '../logging/stack-of.js';
import type { Idempotent } from './message.repository.js';
import type { Draft, StoredMessage } from './stored-message.js';

/** Messages of one conversation that share a command. */
const MAX_BATCH = 100;
/** Messages of one conversation that wait on this node; more are refused at once. */
const MAX_WAITING = 1000;
/** A message that nobody has asked for during this time is refused instead of stored: its sender has been told so, or is about to be. Milliseconds. */
const MAX_WAIT_MS = 4000;

/** What an append came to: `isNew` is false when the message had been stored before, by an earlier try. */
export interface Appended<M> {
  message: M;
  isNew: boolean;
}

/** A message that waits for its place. */
export interface Waiting<M extends StoredMessage> {
  draft: Draft<M>;
  /** When it was last asked for; epoch milliseconds. */
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
  private readonly underWay = new Map<string, { entry: Waiting<M>; appended: Promise<Appended<M>> }>();
  /** Whether a command, or a look-up that a command needs, is under way. */
  isBusy = false;
  /** Whether the end of the conversation was looked up just now, for the next command. */
  hasLearned = false;
  /** Commands in a row that stored nothing of this line because another node was faster. */
  fruitlessTries = 0;

  constructor(readonly conversationId: string) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  append(draft: Draft<M>, deliver: (message: M) => void): Promise<Appended<M>> {
    const key = idempotencyKey(draft);
    const first = key === undefined ? undefined : this.underWay.get(key);
    if (first !== undefined) {
      // Its sender is waiting for it anew; refused now, it would come after what was sent behind the repeat.
      first.entry.since = Date.now();
      return first.appended.then(({ message }) => ({ message, isNew: false }));
    }
    if (this.waiting.length >= MAX_WAITING) return Promise.reject(notStored());
    const { promise, resolve, reject } = deferred<Appended<M>>();
    const entry = { draft, since: Date.now(), deliver, resolve, reject };
    this.waiting.push(entry);
    if (key !== undefined) this.rememberWhileUnderWay(key, entry, promise);
    return promise;
  }

  /** Takes out the next messages for a command, at most `limit`. Those that have waited too long are refused. */
  next(limit: number): Waiting<M>[] {
    const oldest = Date.now() - MAX_WAIT_MS;
    if (this.waiting.some(({ since }) => since < oldest)) this.refuseExpired(oldest);
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

  /** And what their senders sent after them: when they send all of it again, it is in order. */
  private refuseExpired(oldest: number): void {
    const senders = new Set<string>();
    this.waiting = this.waiting.filter(({ draft, since, reject }) => {
      const sender = partyKey({ id: draft.senderId, type: draft.senderType });
      if (since < oldest) senders.add(sender);
      if (!senders.has(sender)) return true;
      reject(notStored());
      return false;
    });
  }

  private rememberWhileUnderWay(key: string, entry: Waiting<M>, appended: Promise<Appended<M>>): void {
    const forget = (): boolean => this.underWay.delete(key);
    this.underWay.set(key, { entry, appended });
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

function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settlers) => ([resolve, reject] = settlers));
  return { promise, resolve, reject };
}
