import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { RedisConnection } from '../redis/redis-connection.js';

@Injectable()
export class RedisHealth {
  constructor(
    private readonly redis: RedisConnection,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Says whether Redis answers within 0.4 s, takes a write and refuses nothing, when there should be one. Never down: a node without it serves its own sockets, and if it took
   * nodes out of service, the loss of Redis would take all of them.
   */
  async check(): Promise<HealthIndicatorResult> {
    const { watch } = this.redis;
    if (watch === undefined) return {};
    return this.indicators.check('redis').up({ isReachable: await watch.probe() });
  }
}
