import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { AppConfig } from '../config/config.js';
import { RedisWatch } from './redis-watch.js';

/** A command that has no answer by then failed: what waits for one must not wait long. Milliseconds, like all times here. */
const COMMAND_TIMEOUT_MS = 400;
const CONNECT_TIMEOUT_MS = 1000;
/** A connection that owes an answer for longer is broken. */
const SOCKET_TIMEOUT_MS = 1500;
const MAX_RETRY_DELAY_MS = 1000;
/** The start waits no longer for Redis: a node without it serves its own sockets. */
const START_PATIENCE_MS = 2000;

/** What every connection to Redis has in common. */
const COMMON_OPTIONS: RedisOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RETRY_DELAY_MS),
  // A cluster that moved its master answers READONLY on the old one.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};

/** Redis for commands, when it is configured. A command fails at once while Redis is away, and within 400 ms when it hangs. */
@Injectable()
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  /** Absent without REDIS_URL. */
  readonly client: Redis | undefined;
  /** Absent without REDIS_URL. */
  readonly watch: RedisWatch | undefined;
  private isAway = false;
  private isClosing = false;

  constructor(private readonly config: AppConfig) {
    if (config.redis.url === undefined) return;
    this.client = this.open({
      // What could not be sent or was not answered is over: sent again later, it would undo what came after it.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
    });
    this.reportOutages(this.client);
    this.watch = new RedisWatch(this.client);
  }

  async onModuleInit(): Promise<void> {
    if (this.client === undefined || this.client.status === 'ready') return;
    const patience = setTimeout(START_PATIENCE_MS, undefined, { ref: false });
    await Promise.race([once(this.client, 'ready').catch(() => undefined), patience]);
  }

  /** In this hook because presence and broadcasts end in the earlier ones. */
  onApplicationShutdown(): void {
    this.isClosing = true;
    this.watch?.close();
    this.client?.disconnect();
  }

  /**
   * Another connection to the same Redis, which its user closes.
   * @throws Error without REDIS_URL
   */
  open(options: RedisOptions): Redis {
    const { url } = this.config.redis;
    if (url === undefined) throw new Error('REDIS_URL is not set.');
    const client = new Redis(url, { ...COMMON_OPTIONS, ...options });
    // An error without a listener would be thrown; outages are reported once, by the connection for commands.
    client.on('error', () => undefined);
    return client;
  }

  /** One line when Redis goes and one when it is back. */
  private reportOutages(client: Redis): void {
    let reason = 'closed';
    client.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.name));
    client.on('close', () => {
      if (this.isAway || this.isClosing) return;
      this.isAway = true;
      this.logger.warn(
        `Redis is away (${reason}): other nodes' events and sockets are out of sight until it is back`,
      );
    });
    client.on('ready', () => {
      if (this.isAway) this.logger.log('Redis is back');
      this.isAway = false;
      reason = 'closed';
    });
  }
}
