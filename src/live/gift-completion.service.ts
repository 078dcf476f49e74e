import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../contract/errors.js';
import { OutageLog } from '../logging/outage-log.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import { GiftLedger } from './gift-ledger.js';
import { LiveCommentRepository } from './live-comment.repository.js';
import { LiveGiftRepository } from './live-gift.repository.js';
import type { LiveGift } from './live-gift.schema.js';
import { toCharge, toCommentPayload, toGiftComment, toGiftPayload } from './live.mapper.js';
import { toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { LiveTimes } from './live-times.js';

/** Gifts that this node has shown and may not have been able to say so. */
const REMEMBERED_GIFTS = 1000;

/**
 * From a stored gift to one that is paid, counted and shown (contract §5). Every step can be repeated, so a node may die at any line and
 * another one does all of them again: the ledger and the stream's totals know the gift by its id, and so does the comment. Only the
 * broadcast could come twice, with the same id, when a node dies between it and its note.
 *
 * Database waits: 2 (totals and comment, side by side; the note that it is finished), besides the ledger's. Two broadcasts.
 */
@Injectable()
export class GiftCompletionService {
  private readonly outage = new OutageLog(
    new Logger(GiftCompletionService.name),
    'The gift ledger does not answer',
  );
  private readonly shown = new LRUCache<string, true>({ max: REMEMBERED_GIFTS });

  constructor(
    private readonly gifts: LiveGiftRepository,
    private readonly streams: LiveStreamRepository,
    private readonly comments: LiveCommentRepository,
    private readonly ledger: GiftLedger,
    private readonly emitter: EmitterService,
    private readonly times: LiveTimes,
  ) {}

  /**
   * To be called by who has stored the gift, or claimed it; `due` says until when it is theirs.
   * @param leaseEnds when another node may claim it, by `performance.now()`: from then on this one keeps its hands off it
   * @throws AppError the ledger's refusal: the gift is deleted; UNAVAILABLE: it will be finished, or refused, later
   */
  async finish(gift: LiveGift, leaseEnds: number): Promise<void> {
    await this.charge(gift);
    await Promise.all([
      this.streams.countGift(toStreamId(gift.streamId), gift._id, gift.giftValue),
      this.comments.insertOnce(toGiftComment(gift)),
    ]);
    if (performance.now() >= leaseEnds) throw giftPending();
    this.show(gift);
    const now = Date.now();
    await this.gifts.finish(gift._id, new Date(now), new Date(now + this.times.giftForgetMs));
    this.shown.delete(gift._id.toHexString());
  }

  private async charge(gift: LiveGift): Promise<void> {
    try {
      await within(this.times.giftLeaseMs / 2, this.ledger.charge(toCharge(gift)));
      this.outage.worked();
    } catch (error) {
      if (error instanceof AppError) {
        // Whoever has it by now asks the ledger, too, and says what came of it.
        if (!(await this.gifts.remove(gift))) throw giftPending();
        throw error;
      }
      this.outage.failed(error);
      throw giftPending();
    }
  }

  private show(gift: LiveGift): void {
    const id = gift._id.toHexString();
    if (this.shown.has(id)) return;
    this.shown.set(id, true);
    const room = liveRoom(gift.streamId);
    this.emitter.toRooms([room], 'live:gift', toGiftPayload(gift));
    this.emitter.toRooms([room], 'live:comment', toCommentPayload(toGiftComment(gift)));
  }
}

export function giftPending(): AppError {
  return new AppError(
    'UNAVAILABLE',
    'The gift could not be finished in time. Try again with its clientGiftId.',
  );
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time.')), milliseconds).unref();
  });
  try {
    await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}
