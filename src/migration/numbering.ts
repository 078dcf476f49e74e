import { setTimeout } from 'node:timers/promises';
import { mongo } from 'mongoose';
import { isSameParty, type Party, partyKey } from '../contract/identity.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { count, type MigrationReport } from './faults.js';
import type { Place } from '../messaging/stored-message.js';
import type { LegacyStore } from './legacy-store.js';
import type { Shaped } from './message-plan.js';

/** A message that is to get the next place. */
export interface Numberable {
  _id: mongo.ObjectId;
  fields: Shaped;
  /** Fields that it has and is not to have any more. */
  stale: string[];
}

/** Between two batches of one conversation, milliseconds: a server that writes to it gets its turn. */
const BREATH_MS = 5;
/** Messages in a command; fewer while a server takes places of the same conversation, because what follows a conflict was sent in vain. */
const MOST = 500;
const LEAST = 10;
/** Batches in a row that gave out no place: the database does not show what it stores. */
const MAX_FRUITLESS_TRIES = 1000;

/**
 * Gives out the places of one conversation, in order. Each message is updated at last + 1 under the server's unique index, and an
 * ordered batch stops at the first that is refused: so message n exists only after n − 1, at every instant, and when a server
 * stores one meanwhile the rest goes on behind it.
 */
export class Numbering {
  private seq = 0;
  private readonly senderSeqs = new Map<string, number>();
  private fruitlessTries = 0;
  private limit = MOST;

  constructor(
    private readonly store: LegacyStore,
    private readonly report: MigrationReport,
    private readonly conversationId: string,
    private readonly pair: Party[],
    newest: Place | null,
  ) {
    this.continueAfter(newest);
  }

  /** @throws an error when another migration is at work on the same messages */
  async append(messages: Numberable[]): Promise<void> {
    if (this.seq > 0) await setTimeout(BREATH_MS);
    for (let rest = messages; rest.length > 0;) {
      const stored = await this.tryAll(rest.slice(0, this.limit));
      rest = rest.slice(stored);
      this.fruitlessTries = stored > 0 ? 0 : this.fruitlessTries + 1;
      if (this.fruitlessTries > MAX_FRUITLESS_TRIES)
        throw new Error(`No message of conversation ${this.conversationId} could be numbered`);
    }
  }

  /** How many of them got their places. */
  private async tryAll(messages: Numberable[]): Promise<number> {
    const operations = this.operationsFor(messages);
    try {
      await this.store.messages.bulkWrite(operations, { ordered: true });
      this.advance(messages);
      this.limit = Math.min(MOST, this.limit * 2);
      return messages.length;
    } catch (error) {
      const { index, conflict } = conflictOf(error);
      this.advance(messages.slice(0, index));
      if (conflict === 'other') throw anotherMigration();
      if (conflict === 'clientMessageId') this.giveUpClientMessageId(messages[index]);
      else {
        this.limit = Math.max(LEAST, Math.floor(this.limit / 2));
        this.continueAfter(await this.store.newestPlace(this.conversationId));
      }
      return index;
    }
  }

  /**
   * The upsert never inserts while all is well. It makes an error of a message that somebody else has numbered, where a mere update
   * would match nothing and the batch would go on, over a gap.
   */
  private operationsFor(messages: Numberable[]): mongo.AnyBulkWriteOperation[] {
    const senderSeqs = new Map(this.senderSeqs);
    return messages.map(({ _id, fields, stale }, index) => {
      const key = partyKey({ id: fields.senderId, type: fields.senderType });
      const senderSeq = (senderSeqs.get(key) ?? 0) + 1;
      senderSeqs.set(key, senderSeq);
      const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
      const update = {
        $set: { ...present, seq: this.seq + 1 + index, senderSeq },
        ...(stale.length > 0 && { $unset: Object.fromEntries(stale.map((name) => [name, 1])) }),
      };
      return { updateOne: { filter: { _id, seq: null }, update, upsert: true } };
    });
  }

  private advance(messages: Numberable[]): void {
    this.seq += messages.length;
    for (const { fields } of messages) {
      const key = partyKey({ id: fields.senderId, type: fields.senderType });
      this.senderSeqs.set(key, (this.senderSeqs.get(key) ?? 0) + 1);
    }
  }

  /** There are two parties: what one did not write, the other did. */
  private continueAfter(newest: Place | null): void {
    this.seq = newest?.seq ?? 0;
    for (const party of this.pair) {
      const isSender =
        newest !== null && isSameParty({ id: newest.senderId, type: newest.senderType }, party);
      const own = newest?.senderSeq ?? 0;
      this.senderSeqs.set(partyKey(party), isSender ? own : this.seq - own);
    }
  }

  /** Another message of this sender has it: the former backend, or a sender's name that is written as it should be only now. */
  private giveUpClientMessageId(message: Numberable | undefined): void {
    if (message === undefined) return;
    message.stale.push('clientMessageId');
    Object.assign(message.fields, {
      formerClientMessageId: message.fields.clientMessageId,
      clientMessageId: undefined,
    });
    count(this.report.messages.faults, 'clientMessageId');
  }
}

function anotherMigration(): Error {
  return new Error(
    'Another migration is at work on this database: this one stops. Start it again when the other has ended.',
  );
}

/** Where an ordered batch stopped, and at which unique index. The index's name in the server's text is what the driver leaves of it. */
function conflictOf(error: unknown): { index: number; conflict: 'seq' | 'clientMessageId' | 'other' } {
  if (!(error instanceof mongo.MongoBulkWriteError) || !isDuplicateKey(error)) throw error;
  const [failure] = [error.writeErrors].flat();
  if (failure === undefined) throw error;
  const name = / index: (\S+) dup key/.exec(failure.errmsg ?? '')?.[1] ?? '';
  if (name.includes('clientMessageId_')) return { index: failure.index, conflict: 'clientMessageId' };
  return { index: failure.index, conflict: name.includes('seq_') ? 'seq' : 'other' };
}
