import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Server, type ServerOptions } from 'socket.io';
import { AppConfig } from '../config/config.js';
import type { ProxyTrust } from '../limits/client-address.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { stackOf } from '../logging/stack-of.js';
import { isAllowedOrigin } from './allowed-origin.js';
import { ClusterBroadcasts } from './cluster-broadcasts.js';
import { Connections } from './connections.js';
import { EmitterService } from './emitter.service.js';
import { EventDispatcher, type EventHandler, type Gateway } from './event-dispatcher.js';
import { gatherWrites } from './gathered-writes.js';
import { authenticateHandshake, welcome } from './handshake.js';
import { sendSinglePieceFrames } from './single-piece-frames.js';
import { HttpDoor } from './http-door.js';
import { Logins } from './logins.js';
import { SlowConsumers } from './slow-consumers.js';
import type { RealtimeServer, RealtimeSocket } from './socket.types.js';
import { TokenExpiry } from './token-expiry.js';

/** Bytes; a larger frame closes that socket (contract §9). */
const MAX_FRAME_BYTES = 64 * 1024;
/** A connection that does not ask to be let in by then is closed. */
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * A connection that died without a word is found out within 18 s: with the grace for those who come back, a live count is right again within
 * 30 s. A phone that was without a network for 8 s connects anew, and misses nothing.
 */
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 8000;

/** The one Socket.IO server: its options, its door, and one dispatcher in place of Nest's pipeline per event and socket. */
export class RealtimeAdapter extends IoAdapter {
  private readonly log = new Logger(RealtimeAdapter.name);
  private readonly config: AppConfig;
  private readonly logins: Logins;
  private readonly door: HttpDoor;
  private readonly expiry: TokenExpiry;
  private readonly dispatcher: EventDispatcher;
  private readonly emitter: EmitterService;
  private readonly connections: Connections;
  private readonly broadcasts: ClusterBroadcasts;
  private readonly slowConsumers: SlowConsumers;

  constructor(app: NestExpressApplication) {
    super(app);
    this.config = app.get(AppConfig);
    this.expiry = app.get(TokenExpiry, { strict: false });
    this.logins = app.get(Logins, { strict: false });
    const express = app.getHttpAdapter().getInstance() as { get: (setting: string) => unknown };
    const isTrusted = express.get('trust proxy fn') as ProxyTrust;
    this.door = new HttpDoor(this.config, app.get(RateLimiter, { strict: false }), isTrusted);
    this.dispatcher = app.get(EventDispatcher, { strict: false });
    this.emitter = app.get(EmitterService, { strict: false });
    this.connections = app.get(Connections, { strict: false });
    this.broadcasts = app.get(ClusterBroadcasts, { strict: false });
    this.slowConsumers = new SlowConsumers(this.config.realtime.slowConsumerLimitBytes);
  }

  override createIOServer(_port: number, _options?: ServerOptions): RealtimeServer {
    const server: RealtimeServer = new Server(this.httpServer, {
      serveClient: false,
      maxHttpBufferSize: MAX_FRAME_BYTES,
      connectTimeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      adapter: this.broadcasts.adapter(),
      // connectionStateRecovery stays off: it appends an argument to every event, which the Dart client cannot take.
      cors: (request, decide) =>
        decide(null, { origin: isAllowedOrigin(request as IncomingMessage, this.config) }),
      allowRequest: (request, decide) => this.door.allow(request, decide),
    });
    this.door.guard(this.httpServer as HttpServer, server);
    (this.httpServer as HttpServer).on('upgrade', (_request, connection) => gatherWrites(connection));
    sendSinglePieceFrames(server.sockets.adapter);
    server.use(authenticateHandshake(this.logins, ({ request }) => this.door.addressOf(request)));
    server.on('connection', (socket) => this.admit(socket));
    this.slowConsumers.watch(server);
    this.emitter.attach(server);
    return server;
  }

  /** Nest would have the handlers of all gateways made for every socket that comes. */
  override bindClientConnect(_server: RealtimeServer, gateway: Gateway): void {
    this.dispatcher.addGateway(gateway);
  }

  override bindMessageHandlers(
    socket: RealtimeSocket,
    handlers: { message: string; callback: EventHandler }[],
  ): void {
    this.dispatcher.bind(socket, handlers);
  }

  /** Nest would add a listener for each gateway to each socket, for hooks that gateways do not have (see `@RealtimeGateway()`). */
  override bindClientDisconnect(): void {
    // Nothing to do.
  }

  /** A request that never ends, sent by whomever, must not hold up the shutdown. */
  override async close(server: RealtimeServer): Promise<void> {
    this.slowConsumers.stop();
    const closing = super.close(server);
    (this.httpServer as HttpServer).closeAllConnections();
    await closing;
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    this.broadcasts.close();
  }

  /** A fault in here must cost this one socket, not the process. */
  private admit(socket: RealtimeSocket): void {
    this.dispatcher.listen(socket);
    this.expiry.follow(socket);
    welcome(socket, this.connections).catch((error: unknown) => {
      this.log.error('A socket could not be admitted', stackOf(error));
      socket.disconnect(true);
    });
  }
}
