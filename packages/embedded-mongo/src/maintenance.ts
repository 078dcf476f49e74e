import type { CommandContext } from './commands/command.js';
import type { GroupCommit } from './storage/group-commit.js';
import { removeExpired } from './time-to-live.js';

export const DEFAULT_TTL_INTERVAL_MS = 60_000;
const BUSY_INTERVAL_MS = 20;
const IDLE_INTERVAL_MS = 1_000;

/**
 * What happens without a client asking: cursors time out, documents of TTL indexes expire, the space of what was dropped is
 * given back. Each step is small, so that clients hardly notice.
 */
export class Maintenance {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private nextExpiry: number;

  constructor(
    private readonly context: CommandContext,
    private readonly group: GroupCommit,
    private readonly ttlIntervalMs = DEFAULT_TTL_INTERVAL_MS,
  ) {
    this.nextExpiry = performance.now() + ttlIntervalMs;
  }

  start(): void {
    this.schedule(Math.min(IDLE_INTERVAL_MS, this.ttlIntervalMs));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.context.cursors.expire();
      this.step().then(
        (busy) => this.schedule(busy ? BUSY_INTERVAL_MS : Math.min(IDLE_INTERVAL_MS, this.ttlIntervalMs)),
        // A step that failed, because the disk is full for one, is tried again later.
        () => this.schedule(IDLE_INTERVAL_MS),
      );
    }, delayMs);
    this.timer.unref();
  }

  /** True when there is more to do right away. */
  private async step(): Promise<boolean> {
    let busy = false;
    if (performance.now() >= this.nextExpiry && this.hasTtlIndex()) {
      busy = await this.group.submit(() => removeExpired(this.context, new Date()));
    }
    if (!busy && performance.now() >= this.nextExpiry)
      this.nextExpiry = performance.now() + this.ttlIntervalMs;
    const { graveyard } = this.context.catalog;
    if (graveyard.isEmpty) return busy;
    await this.group.submit(() => graveyard.sweep());
    return true;
  }

  private hasTtlIndex(): boolean {
    for (const { indexes } of this.context.catalog.allCollections()) {
      if (indexes.some(({ definition }) => definition.expireAfterSeconds !== undefined)) return true;
    }
    return false;
  }
}
