import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** Characters; FCM's answers have a few hundred. */
const MAX_BODY_LENGTH = 16_384;
const SERVICE_UNAVAILABLE = 503;

const exchanges = new AsyncLocalStorage<FcmExchange>();

/** What Node's agents do with every request; it stands in no type. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: object): void;
}

/**
 * One push on its way to FCM. It sees what firebase-admin keeps to itself (status, Retry-After, the answer's details), and it forbids
 * firebase-admin's own retries: those last up to minutes, know nothing of a call that was cancelled meanwhile, and block a place in the queue.
 */
export class FcmExchange {
  /** Absent: there was no answer. */
  status: number | undefined;
  retryAfterMs: number | undefined;
  body = '';
  private request: ClientRequest | undefined;
  private isOver = false;
  private reject: ((reason: Error) => void) | undefined;

  /** Does `work`, whose requests through an FcmAgent are this exchange's. Rejects when it is aborted. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.reject = reject;
      exchanges.run(this, work).then(resolve, reject);
    });
  }

  /** Ends it, whatever it waits for. After an answer nothing changes. */
  abort(): void {
    this.isOver = true;
    this.request?.destroy();
    this.reject?.(new Error('The exchange was ended.'));
  }

  /** Whether the request may go out. A second one only when the first met a kept connection that the server had just closed. */
  admits(request: ClientRequest): boolean {
    const first = this.request;
    const mayRepeat = first === undefined || (first.reusedSocket && this.status === undefined);
    if (this.isOver || !mayRepeat) {
      this.abort();
      return false;
    }
    this.request = request;
    request.once('response', (response) => this.read(response));
    return true;
  }

  private read(response: IncomingMessage): void {
    this.status = response.statusCode;
    this.retryAfterMs = millisecondsUntil(response.headers['retry-after']);
    // Here firebase-admin would wait and try again.
    if (this.status === SERVICE_UNAVAILABLE) return this.abort();
    response.on('data', (chunk: Buffer) => {
      if (this.body.length < MAX_BODY_LENGTH) this.body += chunk.toString();
    });
  }
}

/** The connections to FCM. With `testServer` all of them go there instead, in plain HTTP, wherever the request was meant to go. */
export class FcmAgent extends Agent {
  constructor(private readonly testServer?: URL) {
    super({ keepAlive: true });
  }

  addRequest(request: ClientRequest, options: object): void {
    if (exchanges.getStore()?.admits(request) === false) return;
    (Agent.prototype as unknown as RequestTaker).addRequest.call(this, request, options);
  }

  override createConnection(
    ...args: Parameters<Agent['createConnection']>
  ): ReturnType<Agent['createConnection']> {
    if (this.testServer === undefined) return super.createConnection(...args);
    const { hostname, port } = this.testServer;
    const socket: Duplex = connect(Number(port || 80), hostname.replaceAll(/[[\]]/g, ''));
    return socket;
  }
}

/** Of a Retry-After header: seconds, or a date. */
function millisecondsUntil(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
