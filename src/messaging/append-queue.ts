import { Logger } from '@nestjs/common';
import type { LRUCache } from 'lru-cache';
import { AppError } from '../contract/errors.js';
import { stackOf } from '../logging/stack-of.js';
import type { MessageRepository } from './message.repository.js';
import type { Draft, StoredMessage } from './stored-message.js';

/** Messages of one conversation that share an insert. */
const MAX_BATCH = 100;
/** Messages of one conversation that wait on this node; more are refused at once. */
const MAX_WAITING = 1000;
/** A message that has waited this long is refused instead of stored: its sender has been told so, or is about to be. Milliseconds. */
const MAX_WAIT_MS = 4000;
/** A try stores nothing when another node was faster. So many in a row are no race: the database does not show what it stores. */
const MAX_FRUITLESS_TRIES = 100;

/** What an append came to: `isNew` is false when the message had been stored before, by an earlier try. */
export interface Appended<M> {
  message: M;
  isNew: boolean;
}

/** What the queues of one collection share. */
export interface QueueContext<M extends StoredMessage> {
  messages: MessageRepository<M>;
  /** Last known seq by conversation. It may be too low, which the unique index detects; never too high: only stored messages set it. */
  lastSeqs: LRUCache<string, number>;
  /** Ids of messages whose insert had an unknown outcome: stored perhaps, delivered not. */
  inDoubt: LRUCache<string, true>;
}

interface Waiting<M extends StoredMessage> {
  draft: Draft<M>;
  /** Epoch milliseconds. */
  since: number;
  deliver: (message: M) => void;
  resolve: (appended: Appended<M>) => void;
  reject: (error: unknown) => void;
}

/** The queue in front of one conversation on this node: one insert at a time, of all that waits. It lives only while it has work. */
export class AppendQueue<M extends StoredMessage> {
  private readonly logger = new Logger(AppendQueue.name);
  private readonly waiting: Waiting<M>[] = [];
  /** Appends under way by sender and clientMessageId: a repeat waits for the first instead of asking the database. */
  private readonly underWay = new Map<string, Promise<Appended<M>>>();
  private isRunning = false;

  constructor(
    private readonly conversationId: string,
    private readonly context: QueueContext<M>,
    private readonly onIdle: () => void,
  ) {}

  append(draft: Draft<M>, deliver: (message: M) => void): Promise<Appended<M>> {
    const key = idempotencyKey(draft);
    const first = key === undefined ? undefined : this.underWay.get(key);
    if (first !== undefined) return first.then(({ message }) => ({ message, isNew: false }));

    if (this.waiting.length >= MAX_WAITING) return Promise.reject(notStored());
    const appended = new Promise<Appended<M>>((resolve, reject) => {
      this.waiting.push({ draft, since: Date.now(), deliver, resolve, reject });
    });
    if (key !== undefined) this.rememberWhileUnderWay(key, appended);
    if (!this.isRunning) void this.run();
    return appended;
  }

  private rememberWhileUnderWay(key: string, appended: Promise<Appended<M>>): void {
    const forget = (): boolean => this.underWay.delete(key);
    this.underWay.set(key, appended);
    appended.then(forget, forget);
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0) {
      const batch = this.nextBatch();
      await this.appendBatch(batch).catch((error: unknown) => this.giveUp(batch, error));
    }
    this.isRunning = false;
    this.onIdle();
  }

  private nextBatch(): Waiting<M>[] {
    const oldest = Date.now() - MAX_WAIT_MS;
    const batch = this.waiting.splice(0, MAX_BATCH);
    for (const { since, reject } of batch) if (since < oldest) reject(notStored());
    return batch.filter(({ since }) => since >= oldest);
  }

  /** Settles each entry of the batch as far as it comes and takes it out; what is left when this throws is not settled. */
  private async appendBatch(batch: Waiting<M>[]): Promise<void> {
    for (let fruitless = 0; batch.length > 0;) {
      const before = batch.length;
      await this.insertOnce(batch);
      fruitless = batch.length < before ? 0 : fruitless + 1;
      if (fruitless > MAX_FRUITLESS_TRIES) throw notStored();
    }
  }

  /** One insert of the whole batch, as far as it goes. */
  private async insertOnce(batch: Waiting<M>[]): Promise<void> {
    const { messages, lastSeqs } = this.context;
    const last = lastSeqs.get(this.conversationId) ?? (await messages.lastSeq(this.conversationId));
    const numbered = batch.map(({ draft }, index) => ({ ...draft, seq: last + 1 + index }) as M);
    const { inserted, conflict } = await messages.insertInOrder(numbered);
    lastSeqs.set(this.conversationId, last + inserted);
    for (const message of numbered.slice(0, inserted)) this.settle(batch.shift(), message, true);
    if (conflict === 'seq') lastSeqs.delete(this.conversationId);
    if (conflict === 'clientMessageId') await this.settleRepeat(batch);
  }

  /** The first of the batch is stored already, by an earlier try. */
  private async settleRepeat(batch: Waiting<M>[]): Promise<void> {
    const [repeat] = batch;
    if (repeat?.draft.clientMessageId === undefined) return;
    const stored = await this.context.messages.findByClientMessageId(
      repeat.draft,
      repeat.draft.clientMessageId,
    );
    if (stored === null) return;
    batch.shift();
    if (stored.conversationId !== this.conversationId) {
      repeat.reject(new AppError('CONFLICT', 'This clientMessageId was used in another conversation.'));
      return;
    }
    // After an insert of unknown outcome nobody was told of the message; its retry is the time for it.
    this.settle(repeat, stored, this.context.inDoubt.delete(stored._id.toHexString()));
  }

  private settle(entry: Waiting<M> | undefined, message: M, isNew: boolean): void {
    if (entry === undefined) return;
    try {
      if (isNew) entry.deliver(message);
    } catch (error) {
      this.logger.error('A stored message could not be delivered', stackOf(error));
    }
    entry.resolve({ message, isNew });
  }

  /** What was tried may be stored; what only waited is not, and would wait in vain. */
  private giveUp(batch: Waiting<M>[], error: unknown): void {
    this.context.lastSeqs.delete(this.conversationId);
    for (const { draft } of batch) this.context.inDoubt.set(draft._id.toHexString(), true);
    for (const { reject } of [...batch, ...this.waiting.splice(0)]) reject(error);
  }
}

function notStored(): AppError {
  return new AppError('UNAVAILABLE', 'The message could not be stored. Try again.');
}

function idempotencyKey({
  senderType,
  senderId,
  clientMessageId,
}: Pick<StoredMessage, 'senderType' | 'senderId' | 'clientMessageId'>): string | undefined {
  return clientMessageId === undefined ? undefined : JSON.stringify([senderType, senderId, clientMessageId]);
}
