import { setMaxListeners } from 'node:events';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PushCancelRepository } from './push-cancel.repository.js';

const REMEMBERED_CALLS = 10_000;
/** Longer than any call rings. */
const MEMORY_MS = 3600 * 1000;

/**
 * Which calls must ring no more. A ring never goes out after its cancel: on this node the cancel ends what is under way before it goes
 * out itself; other nodes are told through the database, which each attempt asks just before, a round trip before the cancel goes out.
 */
@Injectable()
export class RingCancels {
  private readonly calls = new LRUCache<string, AbortController>({ max: REMEMBERED_CALLS, ttl: MEMORY_MS });

  constructor(private readonly cancels: PushCancelRepository) {}

  /** Is aborted when this node learns that the call was cancelled; the ring and the cancel may come in either order. */
  signalOf(callId: string): AbortSignal {
    return this.controllerOf(callId).signal;
  }

  /** Whether the call was cancelled on any node; one round trip unless it was on this one. */
  async isCancelled(callId: string): Promise<boolean> {
    const controller = this.controllerOf(callId);
    if (!controller.signal.aborted && (await this.cancels.has(callId))) controller.abort();
    return controller.signal.aborted;
  }

  /** Ends the call's rings of this node at once. */
  cancelHere(callId: string): void {
    this.controllerOf(callId).abort();
  }

  /** Ends those of other nodes; one round trip. */
  async cancelElsewhere(callId: string): Promise<void> {
    await this.cancels.add(callId);
  }

  private controllerOf(callId: string): AbortController {
    let controller = this.calls.get(callId);
    if (controller === undefined) {
      controller = new AbortController();
      // One listener for each device; the admins have many.
      setMaxListeners(0, controller.signal);
      this.calls.set(callId, controller);
    }
    return controller;
  }
}
