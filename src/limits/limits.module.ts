import { Module } from '@nestjs/common';
import { RedisModule } from '../redis/redis.module.js';
import { RateLimiter } from './rate-limiter.js';

@Module({ imports: [RedisModule], providers: [RateLimiter], exports: [RateLimiter] })
export class LimitsModule {}
