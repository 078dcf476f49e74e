import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { OutageLog } from '../logging/outage-log.js';

/**
 * Looks for what is due, again and again while the server runs: one look at a time, the next one an interval after its end. What fails is
 * logged once for each outage, and looked for again. A stop waits for the look that is under way, while sockets can still be told.
 */
@Injectable()
export abstract class RecurringLook implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly outage: OutageLog;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isStopped = false;

  /**
   * @param undone what is left undone while looks fail, for the log
   * @param intervalMs milliseconds
   */
  protected constructor(
    undone: string,
    private readonly intervalMs: number,
  ) {
    this.outage = new OutageLog(new Logger(new.target.name), undone);
  }

  onApplicationBootstrap(): void {
    this.lookIn(this.intervalMs);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Whether the server is about to stop: a look may leave the rest to other nodes. */
  protected get isClosing(): boolean {
    return this.isStopped;
  }

  /** Attends to what is due. Resolves to whether there may be more, for which the next look does not wait. */
  protected abstract look(): Promise<boolean>;

  private lookIn(milliseconds: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.tryToLook().then((isMore) => this.lookIn(isMore ? 0 : this.intervalMs));
    }, milliseconds).unref();
  }

  private async tryToLook(): Promise<boolean> {
    try {
      const isMore = await this.look();
      this.outage.worked();
      return isMore;
    } catch (error) {
      this.outage.failed(error);
      return false;
    }
  }
}
