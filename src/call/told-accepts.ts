import { LRUCache } from 'lru-cache';

const REMEMBERED_CALLS = 10_000;
/** Longer than any event waits. */
const MEMORY_MS = 60_000;

/**
 * When this node told the parties that a call was accepted, so that an `end` which was on its way before is what its sender meant: a cancel,
 * which the accept has beaten. Lost with the process: such an `end` is then one of an answered call, as it is on other nodes.
 */
export class ToldAccepts {
  private readonly toldAt = new LRUCache<string, number>({ max: REMEMBERED_CALLS, ttl: MEMORY_MS });

  /** The parties have just been told. */
  note(callId: string): void {
    this.toldAt.set(callId, performance.now());
  }

  /** @param arrivedAt when the event came in, by `performance.now()` */
  wasUnknown(callId: string, arrivedAt: number): boolean {
    return arrivedAt < (this.toldAt.get(callId) ?? -Infinity);
  }
}
