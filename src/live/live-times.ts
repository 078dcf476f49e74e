import { Injectable } from '@nestjs/common';

/** Milliseconds. Tests put others in their place. */
@Injectable()
export class LiveTimes {
  /** A stream ends when its broadcaster was not heard of for so long (contract §5). */
  readonly ownerReturnMs: number = 60_000;
  /** How often a node looks at the streams that are live. */
  readonly lookIntervalMs: number = 2000;
  /** An end that was stored is told by another node after this, if the one that stored it has not. */
  readonly endToldMs: number = 5000;
  /** Viewers and likes are told at most once in this time. */
  readonly countIntervalMs: number = 1000;
  /** A viewer whose connection broke is counted for so long: whoever is back by then never left. */
  readonly lingerMs: number = 8000;
  /** What a node says in Redis of its viewers holds for so long. */
  readonly leaseMs: number = 20_000;
  /** Those who join within this time share the reads. */
  readonly gatheringMs: number = 15;
  /** Slow mode: so many comments of one person in this time. */
  readonly slowModeMs: number = 10_000;
  /** Reactions that come within this time leave as one. */
  readonly reactionBundleMs: number = 100;
  /** Who stored a gift has so long to finish it; then another node does. */
  readonly giftLeaseMs: number = 10_000;
  /** A gift that is finished is kept from being counted again for so long, which nobody who was slow at it takes. */
  readonly giftForgetMs: number = 60_000;
}
