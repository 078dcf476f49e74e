import type { Socket } from 'node:net';
import { CloseConnection } from './commands/fail-point.js';
import { MongoError } from './errors.js';
import { Framer } from './wire/framing.js';
import { encodeReply, type ReplyFields } from './wire/reply.js';
import { parseMessage, type Envelope, type Request } from './wire/request.js';

/** Messages, and their bytes, that may wait behind a slow one before the socket is not read any further. */
const MAX_WAITING = 100;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** How long a client may take to read its last replies when the server closes. */
const END_TIMEOUT_MS = 1_000;

export type Handler = (request: Request, connectionId: number) => ReplyFields | Promise<ReplyFields>;

/**
 * One client. Its messages are answered in the order in which they came, one at a time; bytes that cannot be a message end
 * the connection and nothing else.
 */
export class Connection {
  private readonly framer = new Framer();
  private readonly waiting: Buffer[] = [];
  private waitingBytes = 0;
  private busy = false;

  constructor(
    readonly id: number,
    private readonly socket: Socket,
    private readonly handle: Handler,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    // A client that vanishes is no news; 'close' follows.
    socket.on('error', () => socket.destroy());
  }

  /** Stops reading; what is being worked on is still answered. */
  end(): void {
    this.waiting.length = 0;
    this.waitingBytes = 0;
    this.socket.destroySoon();
    const patience = setTimeout(() => this.socket.destroy(), END_TIMEOUT_MS);
    this.socket.once('close', () => clearTimeout(patience));
  }

  private receive(chunk: Buffer): void {
    try {
      for (const message of this.framer.push(chunk)) {
        this.waiting.push(message);
        this.waitingBytes += message.length;
      }
    } catch {
      this.socket.destroy();
      return;
    }
    if (this.waiting.length > MAX_WAITING || this.waitingBytes > MAX_WAITING_BYTES) this.socket.pause();
    // A reply that cannot even be encoded as an error leaves nothing to say.
    if (!this.busy) this.work().catch(() => this.socket.destroy());
  }

  private async work(): Promise<void> {
    this.busy = true;
    for (let message = this.waiting.shift(); message; message = this.waiting.shift()) {
      this.waitingBytes -= message.length;
      if (this.socket.isPaused() && this.waiting.length === 0) this.socket.resume();
      const pending = this.answer(message);
      if (pending) await pending;
      if (this.socket.writableNeedDrain) await this.drained();
    }
    this.busy = false;
  }

  /** A client that asks and does not read has to wait, instead of its replies filling the memory. */
  private drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.socket.off('drain', done).off('close', done);
        resolve();
      };
      this.socket.on('drain', done).on('close', done);
    });
  }

  /** A promise only when the answer takes longer than this turn: reads are answered at once. */
  private answer(message: Buffer): Promise<void> | undefined {
    let envelope: Envelope;
    try {
      envelope = parseMessage(message);
    } catch {
      this.abandon();
      return undefined;
    }
    // Who has gone reads no answer; what was sent without wanting one is still to be done.
    if (this.socket.destroyed && !envelope.moreToCome) return undefined;
    try {
      const reply = this.handle(envelope.open(), this.id);
      if (reply instanceof Promise) {
        return reply.then(
          (fields) => this.send(envelope, fields),
          (error: unknown) => this.fail(envelope, error),
        );
      }
      this.send(envelope, reply);
    } catch (error) {
      this.fail(envelope, error);
    }
    return undefined;
  }

  private fail(envelope: Envelope, error: unknown): void {
    if (error instanceof CloseConnection) this.abandon();
    else this.send(envelope, errorReply(error));
  }

  /** Ends the connection; what was sent behind is not looked at. */
  private abandon(): void {
    this.waiting.length = 0;
    this.waitingBytes = 0;
    this.socket.destroy();
  }

  private send({ requestId, protocol, moreToCome }: Envelope, fields: ReplyFields): void {
    if (moreToCome || this.socket.destroyed) return;
    let message: Buffer;
    try {
      message = encodeReply(fields, requestId, protocol);
    } catch (error) {
      message = encodeReply(errorReply(error), requestId, protocol);
    }
    this.socket.write(message);
  }
}

function errorReply(error: unknown): ReplyFields {
  if (error instanceof MongoError) {
    return { ok: 0, errmsg: error.message, code: error.code, codeName: error.codeName, ...error.extra };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes('No space left on device')) {
    return { ok: 0, errmsg: message, code: 14_031, codeName: 'OutOfDiskSpace' };
  }
  return { ok: 0, errmsg: `internal error: ${message}`, code: 1, codeName: 'InternalError' };
}
