import { Injectable } from '@nestjs/common';
import { RATE_LIMITS } from '../config/rate-limits.js';
import type { AppError } from '../contract/errors.js';
import { isSharedAdmin } from '../contract/identity.js';
import { classOf } from '../limits/event-classes.js';
import { rateLimited, RateLimiter } from '../limits/rate-limiter.js';
import type { RealtimeSocket } from './socket.types.js';

/** Dropped: too much of what is worth nothing when it is late; it is answered as if it had been done. */
export type Verdict = 'passed' | 'dropped' | AppError;

/**
 * Counts each event before anything else is done with it: a refused one is neither validated nor looked up. By identity, so that a reconnect
 * changes nothing; the shared admin is many people, and is counted by socket (contract §9).
 */
@Injectable()
export class EventLimits {
  private readonly latest = new WeakMap<RealtimeSocket, Promise<Verdict>>();

  constructor(private readonly limiter: RateLimiter) {}

  /** Whether there is anything to ask. */
  get isOn(): boolean {
    return this.limiter.isOn;
  }

  /** Verdicts on the events of a socket come in the order in which these were asked about. Never rejects. */
  judge(socket: RealtimeSocket, event: string): Promise<Verdict> {
    const verdict = this.count(socket, event);
    // From memory all take equally long.
    if (!this.limiter.isShared) return verdict;
    const before = this.latest.get(socket) ?? Promise.resolve();
    const inTurn = before.then(() => verdict);
    this.latest.set(socket, inTurn);
    return inTurn;
  }

  private async count({ id, data }: RealtimeSocket, event: string): Promise<Verdict> {
    const { user } = data;
    const name = classOf(event);
    const retryAfterMs = isSharedAdmin(user)
      ? await this.limiter.consumeHere(name, `socket:${id}`)
      : await this.limiter.consume(name, `${user.type}:${user.id}`);
    if (retryAfterMs === undefined) return 'passed';
    return RATE_LIMITS[name].excess === 'dropped' ? 'dropped' : rateLimited(retryAfterMs);
  }
}
