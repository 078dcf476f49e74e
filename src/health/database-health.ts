import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { Connection } from 'mongoose';
import type { ErrorCode } from '../contract/errors.js';

const PING_TIMEOUT_MS = 2000;
const UNAVAILABLE: ErrorCode = 'UNAVAILABLE';

@Injectable()
export class DatabaseHealth {
  constructor(
    @InjectConnection() private readonly connection: Connection,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /** One ping, given up after two seconds. The database's own words stay out of the answer. */
  async check(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('database');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('timeout')), PING_TIMEOUT_MS);
    });
    try {
      const { db } = this.connection;
      if (db === undefined) throw new Error('not connected');
      await Promise.race([db.command({ ping: 1 }), timeout]);
      return indicator.up();
    } catch {
      return indicator.down({ code: UNAVAILABLE });
    } finally {
      clearTimeout(timer);
    }
  }
}
