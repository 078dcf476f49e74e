import type { Ack } from '../contract/ack.js';
import type { AppError } from '../contract/errors.js';
import type { RealtimeSocket } from './socket.types.js';

/**
 * The one answer to one client event (contract §1): through the ack callback if the client gave one;
 * else a failure goes out as `error` to that socket only, and a success says nothing.
 */
export class Reply {
  private answered = false;

  constructor(
    private readonly socket: RealtimeSocket,
    private readonly event: string,
    private readonly ack?: (answer: Ack) => void,
  ) {}

  /** Whoever answers first is heard; a later answer is dropped. Throws, not having answered, when `data` cannot be encoded. */
  succeed(data: unknown): void {
    if (this.answered) return;
    this.ack?.({ ok: true, data: typeof data === 'object' && data !== null ? data : {} });
    this.answered = true;
  }

  fail(error: AppError): void {
    if (this.answered) return;
    this.answered = true;
    const body = error.toBody();
    if (this.ack) this.ack({ ok: false, error: body });
    else this.socket.emit('error', { event: this.event, ...body });
  }
}
