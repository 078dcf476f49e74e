import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { ErrorCode } from '../contract/errors.js';
import { EventDispatcher } from '../realtime/event-dispatcher.js';

const UNAVAILABLE: ErrorCode = 'UNAVAILABLE';

@Injectable()
export class NodeHealth {
  constructor(
    private readonly dispatcher: EventDispatcher,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /** Down while this node shuts down, so that load balancers send nobody here any more. */
  check(): HealthIndicatorResult {
    const indicator = this.indicators.check('node');
    return this.dispatcher.isDraining ? indicator.down({ code: UNAVAILABLE }) : indicator.up();
  }
}
