import { Logger } from '@nestjs/common';
import { type Redis, ReplyError } from 'ioredis';

const INTERVAL_MS = 5000;
const PROBE = 'samvad:probe';
const PROBE_TTL_MS = 10_000;

/** Follows what a reachable Redis says to commands: whether it refuses any, and what time it has. One write and one question every 5 s. */
export class RedisWatch {
  private readonly logger = new Logger('Redis');
  private readonly timer: NodeJS.Timeout;
  private readonly refused = new Set<string>();
  /** Redis's clock less `performance.now()`, ms. */
  private offsetMs: number | undefined;

  constructor(private readonly redis: Redis) {
    this.timer = setInterval(() => void this.probe(), INTERVAL_MS).unref();
    redis.on('ready', () => void this.probe());
  }

  /**
   * Milliseconds by the clock of Redis, which is the same for all nodes, whatever their own clocks say; right to some 0.4 s. Undefined until
   * it has been asked once.
   */
  now(): number | undefined {
    return this.offsetMs === undefined ? undefined : performance.now() + this.offsetMs;
  }

  /** Whether Redis answers within 0.4 s, takes a write, and refuses nothing. Never rejects. One round trip. */
  async probe(): Promise<boolean> {
    const [isWritten, isTimeKnown] = await Promise.all([this.write(), this.readClock()]);
    return isWritten && isTimeKnown && this.refused.size === 0;
  }

  /** Logs the first refusal of each time of trouble, by its code: a full memory, a missing right, a version that is too old. */
  noteFailure(command: string, error: unknown): void {
    // Everything else is an outage, which is told of elsewhere.
    if (!(error instanceof ReplyError)) return;
    if (this.refused.size === 0) {
      const code = /^[A-Z]+\b/.exec((error as Error).message)?.[0] ?? 'without a code';
      this.logger.warn(
        `Redis refuses ${command} (${code}): other nodes' events and sockets may be out of sight until it does not`,
      );
    }
    this.refused.add(command);
  }

  noteSuccess(command: string): void {
    if (this.refused.delete(command) && this.refused.size === 0)
      this.logger.log('Redis refuses nothing any more');
  }

  close(): void {
    clearInterval(this.timer);
  }

  private write(): Promise<boolean> {
    // GET is there for servers before 6.2, which refuse it.
    return this.follow('SET', () => this.redis.set(PROBE, '1', 'PX', PROBE_TTL_MS, 'GET'));
  }

  private readClock(): Promise<boolean> {
    return this.follow('TIME', async () => {
      const asked = performance.now();
      const [seconds, microseconds] = await this.redis.time();
      const answered = performance.now();
      this.offsetMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - (asked + answered) / 2;
    });
  }

  private async follow(command: string, run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      this.noteSuccess(command);
      return true;
    } catch (error) {
      this.noteFailure(command, error);
      return false;
    }
  }
}
