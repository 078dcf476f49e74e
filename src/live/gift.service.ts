import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Identity, partyKey, partyOf } from '../contract/identity.js';
import type { LiveGiftPayload } from '../contract/live.js';
import { GiftCompletionService, giftPending } from './gift-completion.service.js';
import type { GiftDto } from './interaction.dto.js';
import { LiveGiftRepository } from './live-gift.repository.js';
import type { LiveGift } from './live-gift.schema.js';
import type { LiveStream } from './live-stream.schema.js';
import { toGiftPayload } from './live.mapper.js';
import { nameIn, ownerOf } from './live-rules.js';
import { LiveTimes } from './live-times.js';
import { StreamAccessService } from './stream-access.service.js';
import { timedId } from './timed-id.js';

/** Milliseconds that a repeat waits for a first try that another node is at; less than an event may take. */
const PATIENCE_MS = 3500;
const LOOK_INTERVAL_MS = 100;

/**
 * Gifts (contract §5). A gift is stored before anything else is done about it, and says when another node may finish it: whoever dies at
 * whatever line leaves no gift that was paid and not shown. `GiftCompletionService` has the steps.
 *
 * Database waits: 4, besides the ledger's, the first one shared like those of joins: nobody pays for a stream that has ended, or that put them
 * out, because this node was not told. A repeat that is finished: 3; a refusal with a clientGiftId: 2.
 */
@Injectable()
export class GiftService {
  /** By sender and clientGiftId: repeats that come meanwhile get what the first try gets. */
  private readonly underWay = new Map<string, Promise<LiveGiftPayload>>();

  constructor(
    private readonly access: StreamAccessService,
    private readonly gifts: LiveGiftRepository,
    private readonly completion: GiftCompletionService,
    private readonly times: LiveTimes,
  ) {}

  /**
   * Paid, counted and shown when it resolves. A repeat with the same clientGiftId gets the gift that is stored, whatever else it says, and
   * wherever its sender is by now: who has paid is told so.
   * @throws AppError what the ledger says; FORBIDDEN for who is not in the stream; NOT_FOUND; CONFLICT; UNAVAILABLE
   */
  async send(user: Identity, socketId: string, dto: GiftDto): Promise<LiveGiftPayload> {
    let stream: LiveStream;
    try {
      stream = await this.access.admittedInside(user, socketId, dto.streamId);
    } catch (refusal) {
      return this.repeat(user, dto, refusal);
    }
    const gift = this.newGift(user, dto, ownerOf(stream).id);
    if (gift.clientGiftId === undefined) return this.make(gift);
    const key = `${gift.streamId} ${gift.sender} ${gift.clientGiftId}`;
    const first = this.underWay.get(key);
    if (first !== undefined) return first;
    const made = this.make(gift).finally(() => this.underWay.delete(key));
    this.underWay.set(key, made);
    return made;
  }

  private async make(gift: LiveGift): Promise<LiveGiftPayload> {
    const patienceEnds = performance.now() + PATIENCE_MS;
    do {
      const lease = this.newLease();
      gift.due = lease.due;
      if (await this.gifts.insert(gift)) return this.finish(gift, lease.ends);
      const stored = await this.gifts.findRepeated(gift);
      // Refused by the ledger meanwhile: it may be asked anew.
      if (stored === null) continue;
      const shown = await this.takeUp(stored);
      if (shown !== undefined) return shown;
    } while (performance.now() < patienceEnds);
    throw giftPending();
  }

  /** By somebody who may give nothing new: the stream has ended, or they are not in it any more. */
  private async repeat(
    user: Identity,
    { streamId, clientGiftId }: GiftDto,
    refusal: unknown,
  ): Promise<LiveGiftPayload> {
    if (typeof clientGiftId !== 'string') throw refusal;
    const patienceEnds = performance.now() + PATIENCE_MS;
    do {
      const sender = partyKey(partyOf(user));
      const stored = await this.gifts.findRepeated({ streamId, sender, clientGiftId });
      if (stored === null) throw refusal;
      const shown = await this.takeUp(stored);
      if (shown !== undefined) return shown;
    } while (performance.now() < patienceEnds);
    throw giftPending();
  }

  /** The stored gift if it is finished, or left by who was at it; undefined, after a moment, while somebody is. */
  private async takeUp(stored: LiveGift): Promise<LiveGiftPayload | undefined> {
    if (stored.finishedAt !== undefined) return toGiftPayload(stored);
    const lease = this.newLease();
    const isLeft = stored.due === undefined || stored.due.getTime() <= Date.now();
    const claimed = isLeft ? await this.gifts.claim(stored, lease.due) : undefined;
    if (claimed !== undefined) return this.finish(claimed, lease.ends);
    await wait(LOOK_INTERVAL_MS);
    return undefined;
  }

  private async finish(gift: LiveGift, leaseEnds: number): Promise<LiveGiftPayload> {
    await this.completion.finish(gift, leaseEnds);
    return toGiftPayload(gift);
  }

  /** By the clock that other nodes go by, and by the one that nobody sets. */
  private newLease(): { due: Date; ends: number } {
    const { giftLeaseMs } = this.times;
    return { due: new Date(Date.now() + giftLeaseMs), ends: performance.now() + giftLeaseMs };
  }

  private newGift(
    user: Identity,
    { streamId, giftType, giftValue, clientGiftId }: GiftDto,
    astrologerId: string,
  ): LiveGift {
    const { id, type } = partyOf(user);
    return {
      _id: timedId(),
      streamId,
      astrologerId,
      sender: partyKey(user),
      senderId: id,
      senderType: type,
      senderName: nameIn(user),
      senderAvatar: user.avatar,
      giftType,
      giftValue,
      ...(typeof clientGiftId === 'string' && { clientGiftId }),
      timestamp: new Date(),
    };
  }
}
