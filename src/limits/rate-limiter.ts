import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { AppConfig } from '../config/config.js';
import { type RateClass, RATE_LIMITS, type RateLimit, windowSecondsOf } from '../config/rate-limits.js';
import { AppError } from '../contract/errors.js';
import { RedisConnection } from '../redis/redis-connection.js';

/** Keys in Redis: with the class and whose it is. */
const KEY_PREFIX = 'samvad:limit';
/** After a failure Redis is not asked for so long: while it hangs, not every event shall wait for its time-out. Milliseconds. */
const REST_MS = 1000;
/** Clocks and timers are right to a millisecond: by then the window is over for certain. */
const SLACK_MS = 1;

/** The counters of one class. */
interface Counters {
  memory: RateLimiterMemory;
  /** What the nodes count together. */
  shared: RateLimiterRedis | undefined;
}

/**
 * Counts events by class and by whose they are, over a fixed window, for all nodes together when there is Redis (contract §9). What one node
 * knows to be too much is refused from its memory; else one command to Redis, of 0.4 s at the most. While Redis is away each node counts
 * alone.
 */
@Injectable()
export class RateLimiter {
  readonly isOn: boolean;
  private readonly counters: ReadonlyMap<RateClass, Counters>;
  private restUntil = 0;

  constructor(
    { limits }: AppConfig,
    private readonly redis: RedisConnection,
  ) {
    this.isOn = limits.isOn;
    const classes = limits.isOn ? (Object.keys(RATE_LIMITS) as RateClass[]) : [];
    this.counters = new Map(
      classes.map((name) => [name, countersFor(name, limits.rates[name], redis.client)] as const),
    );
  }

  /** Whether a count may have to wait for Redis. */
  get isShared(): boolean {
    return this.redis.client !== undefined;
  }

  /**
   * Counts one event of `whose`.
   * @returns the milliseconds after which it would pass, when it is too much
   */
  async consume(name: RateClass, whose: string): Promise<number | undefined> {
    const counters = this.counters.get(name);
    if (counters === undefined) return undefined;
    if (counters.shared === undefined || this.isResting) return consumed(counters.memory, whose);
    try {
      return await consumed(counters.shared, whose);
    } catch {
      this.rest();
      return consumed(counters.memory, whose);
    }
  }

  /** The same on this node alone: what must cost nothing, or is of one socket. */
  async consumeHere(name: RateClass, whose: string): Promise<number | undefined> {
    const counters = this.counters.get(name);
    return counters === undefined ? undefined : consumed(counters.memory, whose);
  }

  /** Counts nothing. @returns the milliseconds after which one event would pass, when it would not now */
  async waitOf(name: RateClass, whose: string): Promise<number | undefined> {
    const counters = this.counters.get(name);
    if (counters === undefined) return undefined;
    if (counters.shared === undefined || this.isResting) return remaining(counters.memory, whose);
    try {
      return await remaining(counters.shared, whose);
    } catch {
      this.rest();
      return remaining(counters.memory, whose);
    }
  }

  private rest(): void {
    this.restUntil = performance.now() + REST_MS;
  }

  private get isResting(): boolean {
    return this.redis.client?.status !== 'ready' || performance.now() < this.restUntil;
  }
}

/** What is too much, with the time after which it is not (contract §1). */
export function rateLimited(retryAfterMs: number): AppError {
  return new AppError('RATE_LIMITED', 'Too many requests. Try again later.', { retryAfterMs });
}

function countersFor(name: RateClass, limit: RateLimit, redis: Redis | undefined): Counters {
  const options = {
    keyPrefix: `${KEY_PREFIX}:${name}`,
    points: limit.burst,
    duration: windowSecondsOf(limit),
  };
  return {
    memory: new RateLimiterMemory(options),
    shared:
      redis &&
      new RateLimiterRedis({
        ...options,
        storeClient: redis,
        // From there on nothing is asked until the window is over.
        inMemoryBlockOnConsumed: limit.burst,
      }),
  };
}

type Limiter = RateLimiterMemory | RateLimiterRedis;

/** @throws whatever Redis says when it cannot count */
async function consumed(limiter: Limiter, whose: string): Promise<number | undefined> {
  try {
    await limiter.consume(whose);
    return undefined;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return Math.ceil(refusal.msBeforeNext) + SLACK_MS;
  }
}

/** @throws whatever Redis says when it cannot look */
async function remaining(limiter: Limiter, whose: string): Promise<number | undefined> {
  const state = await limiter.get(whose);
  if (state === null || state.consumedPoints < limiter.points || state.msBeforeNext <= 0) return undefined;
  return Math.ceil(state.msBeforeNext) + SLACK_MS;
}
