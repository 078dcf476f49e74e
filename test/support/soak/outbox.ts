import { setTimeout as wait } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import type { Ack } from '../../../src/contract/ack.js';
import type { SoakMessage } from './driver.js';

const ACK_PATIENCE_MS = 10_000;
const RETRY_MS = 200;

/** One sending of a message, as its device saw it. Times are epoch milliseconds; the servers run on the same machine. */
export interface Try {
  socketId: string;
  /** Where the socket was connected to. */
  address: string;
  /** Counts the tries of the device, of all messages. */
  number: number;
  sentAt: number;
  /** `ok`, or the code of the refusal; undefined when no answer came. */
  answer?: string;
  answeredAt?: number;
}

/** A message as its sender keeps it, from the moment at which it is written. */
export interface Outgoing {
  clientMessageId: string;
  conversationId: string;
  content: string;
  event: string;
  payload: object;
  acked: SoakMessage | undefined;
  /** In the order of sending. */
  tries: Try[];
}

type Sending = (message: { content: string; clientMessageId: string }) => { event: string; payload: object };

/** What one device has sent, in this order; nothing leaves it before it is acknowledged. */
export class Outbox {
  readonly written: Outgoing[] = [];
  private readonly unacked = new Set<Outgoing>();
  private tries = 0;
  /** A connection on which something was refused: nothing new is sent on it before that has been sent again. */
  private pausedOn: Socket | undefined;

  constructor(
    private readonly deviceName: string,
    private readonly messageOf: (payload: object) => SoakMessage,
    private readonly onAcked: (message: SoakMessage) => void,
    private readonly complain: (fault: string) => void,
  ) {}

  get waiting(): number {
    return this.unacked.size;
  }

  /** @param sending how the message is sent */
  write(conversationId: string, text: string, sending: Sending, socket: Socket | undefined): void {
    const clientMessageId = `${this.deviceName}-${this.written.length}`;
    const content = `${clientMessageId} ${text}`;
    const { event, payload } = sending({ content, clientMessageId });
    const outgoing = {
      clientMessageId,
      conversationId,
      content,
      event,
      payload,
      acked: undefined,
      tries: [],
    };
    this.written.push(outgoing);
    this.unacked.add(outgoing);
    if (socket !== undefined && socket !== this.pausedOn) void this.transmit(outgoing, socket);
  }

  /** Everything that is not acknowledged, in its order. */
  resend(socket: Socket): void {
    for (const outgoing of this.unacked) void this.transmit(outgoing, socket);
  }

  /** As an app whose ack was lost: the answer must be the message that is stored. */
  repeat(outgoing: Outgoing, socket: Socket): void {
    if (socket !== this.pausedOn) void this.transmit(outgoing, socket);
  }

  /** If that brings no acknowledgement, everything is sent again after a while, or on the next connection. */
  private async transmit(outgoing: Outgoing, socket: Socket): Promise<void> {
    if (!socket.connected) return;
    const { clientMessageId, event, payload } = outgoing;
    const attempt = this.noteTry(outgoing, socket);
    const ack = await socket
      .timeout(ACK_PATIENCE_MS)
      .emitWithAck(event, payload)
      .then((answer: Ack) => answer)
      .catch(() => undefined);
    if (ack !== undefined) {
      attempt.answer = ack.ok ? 'ok' : ack.error.code;
      attempt.answeredAt = Date.now();
    }
    if (ack?.ok === true) this.settle(outgoing, this.messageOf(ack.data));
    else if (ack?.ok === false && !ack.error.retryable) {
      this.unacked.delete(outgoing);
      this.complain(`${clientMessageId} was refused: ${JSON.stringify(ack.error)}`);
    } else if (this.unacked.has(outgoing)) await this.resendLater(socket);
  }

  private async resendLater(socket: Socket): Promise<void> {
    if (!socket.connected || this.pausedOn === socket) return;
    this.pausedOn = socket;
    await wait(RETRY_MS);
    if (this.pausedOn !== socket) return;
    this.pausedOn = undefined;
    this.resend(socket);
  }

  private noteTry({ tries }: Outgoing, socket: Socket): Try {
    const { id: socketId = '' } = socket;
    const address = `${socket.io.opts.hostname}:${socket.io.opts.port}`;
    const attempt: Try = { socketId, address, number: (this.tries += 1), sentAt: Date.now() };
    tries.push(attempt);
    return attempt;
  }

  private settle(outgoing: Outgoing, message: SoakMessage): void {
    const { clientMessageId, acked } = outgoing;
    if (acked !== undefined && (acked.id !== message.id || acked.seq !== message.seq))
      this.complain(`${clientMessageId} was acknowledged as two messages: ${acked.seq} and ${message.seq}`);
    outgoing.acked ??= message;
    this.unacked.delete(outgoing);
    this.onAcked(message);
  }
}
