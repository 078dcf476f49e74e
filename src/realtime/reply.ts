import type { Ack } from '../contract/ack.js';
import type { AppError, ErrorCode } from '../contract/errors.js';
import type { Identity } from '../contract/identity.js';
import type { RealtimeSocket } from './socket.types.js';

/**
 * The one answer to one client event (contract §1): through the ack callback if the client gave one;
 * else a failure goes out as `error` to that socket only, and a success says nothing.
 */
export class Reply {
  private readonly startedAt = performance.now();
  private answer: 'ok' | ErrorCode | undefined;

  constructor(
    private readonly socket: RealtimeSocket,
    private readonly event: string,
    private readonly ack?: (answer: Ack) => void,
  ) {}

  /** How it was answered; undefined until then. */
  get outcome(): 'ok' | ErrorCode | undefined {
    return this.answer;
  }

  /** Whoever answers first is heard; a later answer is dropped. Throws, not having answered, when `data` cannot be encoded. */
  succeed(data: unknown): void {
    if (this.answer !== undefined) return;
    this.ack?.({ ok: true, data: typeof data === 'object' && data !== null ? data : {} });
    this.answer = 'ok';
  }

  fail(error: AppError): void {
    if (this.answer !== undefined) return;
    this.answer = error.code;
    const body = error.toBody();
    if (this.ack) this.ack({ ok: false, error: body });
    else this.socket.emit('error', { event: this.event, ...body });
  }

  /** For the log: which event, whose, on which socket, since when; never what it is about. */
  describe(): string {
    const { id, data } = this.socket;
    const milliseconds = (performance.now() - this.startedAt).toFixed(1);
    // Without an identity only when something is wrong.
    const user = data.user as Identity | undefined;
    const who = user === undefined ? 'nobody' : `${user.type}:${user.id}`;
    return `${this.event} (${who}, socket ${id}, ${milliseconds} ms)`;
  }
}
