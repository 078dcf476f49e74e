import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Push } from './push-data.js';
import { PushCancelRepository } from './push-cancel.repository.js';
import { PushRetryRepository } from './push-retry.repository.js';

const REMEMBERED_MESSAGES = 10_000;
/** As long as a push of a message is tried again. */
const MEMORY_MS = 3600 * 1000;

/**
 * Messages that were deleted before all their pushes had gone out. This node remembers what was deleted on it; the others are told through
 * the database, which each further attempt asks.
 */
@Injectable()
export class DeletedMessages {
  private readonly here = new LRUCache<string, true>({ max: REMEMBERED_MESSAGES, ttl: MEMORY_MS });

  constructor(
    private readonly cancels: PushCancelRepository,
    private readonly retries: PushRetryRepository,
  ) {}

  /** Takes the text out of the database, too, and keeps other nodes from sending what fails on them later. Two round trips. */
  async add(party: string, messageId: string): Promise<void> {
    this.here.set(messageId, true);
    await this.cancels.add(keyOf(messageId));
    await this.retries.removeMessage(party, messageId);
  }

  /** Whether the push is of a message that was deleted on this node. */
  hasHere({ data }: Pick<Push, 'data'>): boolean {
    return data.type === 'message' && this.here.has(data.messageId);
  }

  /** Whether it is of a message that was deleted on any node. One round trip, for messages alone. */
  async has(push: Pick<Push, 'data'>): Promise<boolean> {
    if (push.data.type !== 'message') return false;
    return this.hasHere(push) || (await this.cancels.has(keyOf(push.data.messageId)));
  }
}

/** Calls have their ids in the same collection. */
function keyOf(messageId: string): string {
  return `message:${messageId}`;
}
