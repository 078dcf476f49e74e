import type { Logger } from '@nestjs/common';

/** Says once for each outage what does not work, however often and for however many it is tried. */
export class OutageLog {
  private isAway = false;

  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  failed(error: unknown): void {
    if (!this.isAway) this.logger.warn(`${this.what}: ${error instanceof Error ? error.name : typeof error}`);
    this.isAway = true;
  }

  worked(): void {
    this.isAway = false;
  }
}
