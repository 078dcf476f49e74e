import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import helmet from 'helmet';
import type { AppConfig } from '../config/config.js';
import { clientAddress, type ProxyTrust } from '../limits/client-address.js';
import type { RateLimiter } from '../limits/rate-limiter.js';
import { isAllowedOrigin } from './allowed-origin.js';
import type { RealtimeServer } from './socket.types.js';

/** Whoever sends a request more slowly is cut off, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often it is looked at; Node would do it every 30 s. */
const REQUESTS_CHECK_INTERVAL_MS = 1000;

type Decide = (refusal: string | null | undefined, isAllowed: boolean) => void;

/** What is decided of a request before there is a session: whose page it is, and how many its address has opened. */
export class HttpDoor {
  private readonly logger = new Logger(HttpDoor.name);
  private hasWarned = false;

  constructor(
    private readonly config: AppConfig,
    private readonly limiter: RateLimiter,
    private readonly isTrusted: ProxyTrust,
  ) {}

  /** From where a request comes, as limits count. */
  addressOf(request: IncomingMessage): string {
    this.lookForProxy(request);
    return clientAddress(request, this.isTrusted);
  }

  /** Behind a proxy that is not trusted all clients share one address, and its limits. */
  private lookForProxy({ headers }: IncomingMessage): void {
    if (this.hasWarned || this.config.http.trustedProxies !== 0) return;
    if (headers['x-forwarded-for'] === undefined) return;
    this.hasWarned = true;
    this.logger.warn('A request says X-Forwarded-For: if a proxy of yours wrote it, set TRUST_PROXY.');
  }

  /** Engine.IO's `allowRequest`: asked for each new session, by polling or WebSocket, and not for what follows on it. */
  allow(request: IncomingMessage, decide: Decide): void {
    // CORS tells browsers who may poll, and says nothing about the WebSocket.
    if (!isAllowedOrigin(request, this.config)) return decide(null, false);
    void this.limiter.consumeHere('session', this.addressOf(request)).then((retryAfterMs) => {
      if (retryAfterMs === undefined) return decide(null, true);
      refusePoll(request, retryAfterMs);
      decide(refusalOf(retryAfterMs), false);
    });
  }

  /** To be called before the server listens. Timeouts, and the headers that protect browsers, on the answers to polls; those of other requests are Express's. */
  guard(http: HttpServer, { engine }: RealtimeServer): void {
    http.headersTimeout = HEADERS_TIMEOUT_MS;
    http.requestTimeout = REQUEST_TIMEOUT_MS;
    // An option of the server's constructor, which is Nest's to call; read when the server begins to listen.
    Object.assign(http, { connectionsCheckingInterval: REQUESTS_CHECK_INTERVAL_MS });
    const protect = helmet();
    engine.use((request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
      if (request.headers.upgrade === undefined) protect(request, response, next);
      else next();
    });
  }
}

/** Engine.IO itself would say 403. For a WebSocket there is no response; it says the reason with its own status. */
function refusePoll(request: IncomingMessage, retryAfterMs: number): void {
  const { res } = request as { res?: ServerResponse };
  if (res === undefined) return;
  res.writeHead(429, {
    'Content-Type': 'application/json',
    'Retry-After': String(Math.ceil(retryAfterMs / 1000)),
  });
  res.end(refusalOf(retryAfterMs));
}

function refusalOf(retryAfterMs: number): string {
  return JSON.stringify({
    code: 'RATE_LIMITED',
    message: 'Too many connections from this address.',
    retryable: true,
    details: { retryAfterMs },
  });
}
