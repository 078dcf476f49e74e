import { Injectable } from '@nestjs/common';

/** Milliseconds; not configurable, because all nodes must agree. Tests put shorter ones in its place. */
@Injectable()
export class PresenceTimes {
  /** An offline is announced this long after the last socket went; who is back by then never left. */
  readonly offlineDelayMs: number = 5000;
  /** Who comes back so soon after they went is announced twice: another node's offline may be on its way. */
  readonly closeReturnMs: number = 60_000;
  /** The second announcement comes this long after the first. */
  readonly repeatMs: number = 1500;
  /** What a node says in Redis of its people holds for this long; a dead node's entries lapse with it. */
  readonly leaseMs: number = 20_000;
  /** How often a lease is renewed. */
  readonly renewalMs: number = 5000;
  /** After a write to the database failed, the next try comes this much later. */
  readonly retryMs: number = 2000;
}
