import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { DatabaseHealth } from './database-health.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { RedisModule } from '../redis/redis.module.js';
import { HealthController } from './health.controller.js';
import { NodeHealth } from './node-health.js';
import { RedisHealth } from './redis-health.js';

@Module({
  imports: [RealtimeModule, RedisModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [DatabaseHealth, NodeHealth, RedisHealth],
})
export class HealthModule {}
