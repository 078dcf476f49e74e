import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { BlockRepository } from './block.repository.js';

const REMEMBERED_PAIRS = 50_000;
const LOOK_INTERVAL_MS = 1000;
/** What is known of a pair is believed for so long after it was last confirmed. */
const TRUST_MS = 2000;
/** Each look goes back by this, for changes that became visible late: the clocks of the database's members must not differ by more. */
const OVERLAP_MS = 10_000;
/** After more at a time it is cheaper to forget and to ask anew. */
const MAX_CHANGES = 1000;

/** Times are `performance.now()`, milliseconds. */
interface Knowledge {
  isBlocked: boolean;
  /** When the question that this answers was asked. */
  askedAt: number;
}

/**
 * What this node knows of blocks, so that a message between two people whom it knows asks the database nothing. One small read a second
 * for all pairs together tells it what other nodes have blocked; what they have unblocked it learns when the blocked one tries again.
 * So a change on another node is known here within 2 s; when those reads fail, each pair is asked for again after 2 s.
 */
@Injectable()
export class KnownBlocks implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(KnownBlocks.name);
  private readonly known = new LRUCache<string, Knowledge>({ max: REMEMBERED_PAIRS });
  /** The newest change that was seen, on the database's clock; undefined: where to look from is not known. */
  private horizon: Date | undefined;
  /** When the last look that succeeded began: it confirmed every pair that it did not name. */
  private lookedAt = -Infinity;
  /** Counts how often everything was forgotten: an answer to an earlier question is not remembered. */
  private era = 0;
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;
  private isAway = false;

  constructor(private readonly blocks: BlockRepository) {
    blocks.onConnectionLost(() => this.forget());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.look(), LOOK_INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** No round trip. False also means "not known". */
  isKnownUnblocked(pair: string): boolean {
    const knowledge = this.known.get(pair);
    if (knowledge === undefined || knowledge.isBlocked) return false;
    return performance.now() - Math.max(knowledge.askedAt, this.lookedAt) < TRUST_MS;
  }

  /** No round trip for a pair of which it is known; a block is believed for 2 s, so that an unblocking elsewhere does not go unseen. */
  async isBlocked(pair: string): Promise<boolean> {
    if (this.isKnownUnblocked(pair)) return false;
    const knowledge = this.known.get(pair);
    if (knowledge?.isBlocked === true && performance.now() - knowledge.askedAt < TRUST_MS) return true;
    const { era } = this;
    const askedAt = performance.now();
    const isBlocked = await this.blocks.exists(pair);
    if (era === this.era) this.learn(pair, isBlocked, askedAt);
    return isBlocked;
  }

  /** To be called when a change that this node made is stored: from now on it counts here. */
  changed(pair: string, isBlocked: boolean): void {
    this.learn(pair, isBlocked, performance.now());
  }

  /** The answer to the latest question wins, whichever answer comes last. */
  private learn(pair: string, isBlocked: boolean, askedAt: number): void {
    const former = this.known.peek(pair);
    if (former === undefined || former.askedAt <= askedAt) this.known.set(pair, { isBlocked, askedAt });
  }

  private forget(): void {
    this.known.clear();
    this.horizon = undefined;
    this.lookedAt = -Infinity;
    this.era += 1;
  }

  /** Never rejects; one at a time. A node that knows of no pair has nothing to follow. */
  private async look(): Promise<void> {
    if (this.isLooking || (this.horizon !== undefined && this.known.size === 0)) return;
    this.isLooking = true;
    try {
      await (this.horizon === undefined ? this.findHorizon() : this.follow(this.horizon));
      this.isAway = false;
    } catch (error) {
      // Once for each outage: the next looks would only say the same.
      if (!this.isAway) this.logger.warn(`Blocks cannot be followed: ${(error as Error).name}`);
      this.isAway = true;
    } finally {
      this.isLooking = false;
    }
  }

  /** What is known from before may be older than where looking begins, so it goes. */
  private async findHorizon(): Promise<void> {
    const { era } = this;
    const newest = await this.blocks.newestChange();
    if (era !== this.era) return;
    this.forget();
    this.horizon = newest ?? new Date(0);
  }

  private async follow(horizon: Date): Promise<void> {
    const { era } = this;
    const askedAt = performance.now();
    const changes = await this.blocks.changedSince(new Date(horizon.getTime() - OVERLAP_MS), MAX_CHANGES);
    if (era !== this.era) return;
    if (changes.length === MAX_CHANGES) return this.forget();
    for (const { pair } of changes) if (this.known.has(pair)) this.learn(pair, true, askedAt);
    const newest = changes.at(-1)?.changedAt;
    if (newest !== undefined && newest > horizon) this.horizon = newest;
    this.lookedAt = askedAt;
  }
}
