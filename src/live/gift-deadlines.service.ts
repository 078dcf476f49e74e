import { Injectable } from '@nestjs/common';
import type { Types } from 'mongoose';
import { AppError } from '../contract/errors.js';
import { RecurringLook } from '../database/recurring-look.js';
import { GiftCompletionService } from './gift-completion.service.js';
import { LiveGiftRepository } from './live-gift.repository.js';
import type { LiveGift } from './live-gift.schema.js';
import { toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { LiveTimes } from './live-times.js';

/** Gifts that one look attends to; more are due at the next one, at once. */
const BATCH = 200;
/** Gifts that are claimed and finished side by side: the lease of a claim must not run out while others are seen to. */
const SIDE_BY_SIDE = 20;

/**
 * Finishes the gifts that a node left when it died, 10 s after they were stored, and lets streams forget the gifts that nobody can still be
 * at. Every node looks; of several that find the same gift one claims it.
 *
 * Round trips: 1 read every 2 s, by an index of what is due alone; for the gifts that were finished a minute ago, 1 for each of their streams
 * and 1 for all of them.
 */
@Injectable()
export class GiftDeadlinesService extends RecurringLook {
  constructor(
    private readonly gifts: LiveGiftRepository,
    private readonly streams: LiveStreamRepository,
    private readonly completion: GiftCompletionService,
    private readonly times: LiveTimes,
  ) {
    super('Gifts that were left are not finished for now', times.lookIntervalMs);
  }

  protected async look(): Promise<boolean> {
    const due = await this.gifts.findDue(new Date(), BATCH);
    await allOf([
      this.forget(due.filter(({ finishedAt }) => finishedAt !== undefined)),
      this.finishAll(due.filter(({ finishedAt }) => finishedAt === undefined)),
    ]);
    return due.length === BATCH;
  }

  private async finishAll(gifts: LiveGift[]): Promise<void> {
    const begun: Promise<void>[] = [];
    for (let i = 0; i < gifts.length && !this.isClosing; i += SIDE_BY_SIDE) {
      const next = gifts.slice(i, i + SIDE_BY_SIDE).map((gift) => this.finish(gift));
      begun.push(...next);
      await Promise.allSettled(next);
    }
    await allOf(begun);
  }

  private async finish(gift: LiveGift): Promise<void> {
    const { giftLeaseMs } = this.times;
    const leaseEnds = performance.now() + giftLeaseMs;
    const claimed = await this.gifts.claim(gift, new Date(Date.now() + giftLeaseMs));
    if (claimed === undefined) return;
    try {
      await this.completion.finish(claimed, leaseEnds);
    } catch (error) {
      // Refused for good, or to be tried again when it is due.
      if (!(error instanceof AppError)) throw error;
    }
  }

  private async forget(gifts: LiveGift[]): Promise<void> {
    const byStream = new Map<string, Types.ObjectId[]>();
    for (const { _id, streamId } of gifts) byStream.set(streamId, [...(byStream.get(streamId) ?? []), _id]);
    const forgotten = await Promise.allSettled(
      [...byStream].map(async ([streamId, ids]) => {
        await this.streams.forgetGifts(toStreamId(streamId), ids);
        return ids;
      }),
    );
    const done = forgotten.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (done.length > 0) await this.gifts.settle(done);
    throwFirst(forgotten);
  }
}

/** Waits for all of them: one that fails stops no other. */
async function allOf(works: Promise<void>[]): Promise<void> {
  throwFirst(await Promise.allSettled(works));
}

function throwFirst(results: PromiseSettledResult<unknown>[]): void {
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
