import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { DatabaseHealth } from './database-health.js';
import { NodeHealth } from './node-health.js';
import { RedisHealth } from './redis-health.js';

/** For the container's health check and for load balancers. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: DatabaseHealth,
    private readonly node: NodeHealth,
    private readonly redis: RedisHealth,
  ) {}

  /** 200 as long as the process answers. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** 200 when requests can be served; else 503 with the reason's code, e.g. `error.database.code`. Redis is told of, and no reason. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.database.check(),
      () => this.node.check(),
      () => this.redis.check(),
    ]);
  }
}
