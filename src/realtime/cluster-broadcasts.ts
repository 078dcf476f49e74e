import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { Redis } from 'ioredis';
import type { Namespace, Server } from 'socket.io';
import { RedisConnection } from '../redis/redis-connection.js';
import type { RedisWatch } from '../redis/redis-watch.js';
import { isTooOld, noteSendingTimes, StreamPlace } from './broadcast-stream.js';

type Adapter = Namespace['adapter'];
type Broadcast = Parameters<Adapter['broadcast']>;
type Departure = Parameters<Adapter['delSockets']>;
type Disconnection = Parameters<Adapter['disconnectSockets']>;
type RawReader = (entry: Record<string, string>, id: string) => void;

const STREAM = 'samvad:broadcasts';
/** Entries kept, about: a node that was cut off for longer misses some, and its clients catch up by `seq`. */
const MAX_STREAM_LENGTH = 10_000;
const BLOCK_MS = 2000;
/** A reader that hears nothing for longer than it asked Redis to wait has lost its connection. */
const READER_SOCKET_TIMEOUT_MS = 3 * BLOCK_MS;
/** A broadcast that owes its answer for longer lost its connection. */
const PUBLISHER_SOCKET_TIMEOUT_MS = 2000;
/**
 * Broadcasts wait for so many tries to connect and are dropped then: some 2 s in all when nobody listens there, several times as long when
 * Redis hangs. What comes too late in spite of it is not delivered.
 */
const PUBLISHER_RETRIES = 5;
/** A broadcast that waits for longer has failed. */
const PUBLISH_TIMEOUT_MS = 2000;
/** Nonsense in the stream is logged once in this time. */
const LOG_INTERVAL_MS = 60_000;
/** The start waits no longer for the place from which to read. */
const START_PATIENCE_MS = 1000;
/** `MessageType` of socket.io-adapter. */
const BROADCAST = 3;
const SOCKETS_LEAVE = 5;
const DISCONNECT_SOCKETS = 6;

/**
 * Takes what one node sends to rooms to the sockets of all nodes, through a Redis stream, when REDIS_URL is set. The sockets of the sending
 * node do not wait for it: while Redis is away they get everything, and those of other nodes catch up.
 */
@Injectable()
export class ClusterBroadcasts implements OnApplicationBootstrap {
  private readonly logger = new Logger(ClusterBroadcasts.name);
  private readonly clients: Redis[] = [];
  private place: StreamPlace | undefined;
  private nonsenseLoggedAt = -Infinity;

  constructor(private readonly redis: RedisConnection) {}

  /** Before the server listens. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.place === undefined) return;
    await Promise.race([this.place.isKnown, wait(START_PATIENCE_MS, undefined, { ref: false })]);
  }

  /** The `adapter` option of the one Socket.IO server; undefined without REDIS_URL. To be called once. */
  adapter(): Parameters<Server['adapter']>[0] | undefined {
    const { watch } = this.redis;
    if (watch === undefined) return undefined;
    const publisher = this.open({
      maxRetriesPerRequest: PUBLISHER_RETRIES,
      // What was sent and not answered may have arrived: sent again, it would come twice.
      autoResendUnfulfilledCommands: false,
      commandTimeout: PUBLISH_TIMEOUT_MS,
      socketTimeout: PUBLISHER_SOCKET_TIMEOUT_MS,
    });
    noteSendingTimes(publisher, watch);
    const place = new StreamPlace(STREAM, watch);
    this.place = place;
    // The package duplicates the publisher for reading, with its options; those are wrong there.
    Object.assign(publisher, { duplicate: () => this.openReader(place) });
    const create = createAdapter(publisher, {
      streamName: STREAM,
      channelPrefix: STREAM,
      maxLen: MAX_STREAM_LENGTH,
      blockTimeInMs: BLOCK_MS,
      onlyPlaintext: true,
    }) as (namespace: Namespace) => Adapter;
    const make = (namespace: Namespace): Adapter => deliverHereFirst(this.passOver(create(namespace), watch));
    // A function, because Socket.IO calls it with `new`.
    return function (namespace: Namespace) {
      return make(namespace);
    } as never;
  }

  /** After the Socket.IO server has closed, which ends the reading. */
  close(): void {
    this.place?.close();
    for (const client of this.clients) client.disconnect();
  }

  private open(options: Parameters<RedisConnection['open']>[0]): Redis {
    const client = this.redis.open(options);
    this.clients.push(client);
    return client;
  }

  /** A connection for the package's reading. */
  private openReader(place: StreamPlace): Redis {
    const reader = this.open({ maxRetriesPerRequest: null, socketTimeout: READER_SOCKET_TIMEOUT_MS });
    place.follow(reader);
    const subscribe = reader.subscribe.bind(reader) as (...args: unknown[]) => Promise<unknown>;
    return Object.assign(reader, {
      // Nobody listens for its failure, which a close before the first connection is.
      subscribe: (...args: unknown[]) => subscribe(...args).catch(() => undefined),
    });
  }

  /** An error would keep the package at the same entry for ever, on all nodes; and what is old shall not be delivered. */
  private passOver(adapter: Adapter, watch: RedisWatch): Adapter {
    const { onRawMessage } = adapter as unknown as { onRawMessage: RawReader };
    const guarded: RawReader = (entry, id) => {
      try {
        if (!isTooOld(entry, watch)) onRawMessage.call(adapter, entry, id);
      } catch (error) {
        this.noteNonsense(error as Error);
      }
    };
    return Object.assign(adapter, { onRawMessage: guarded });
  }

  private noteNonsense(error: Error): void {
    if (performance.now() - this.nonsenseLoggedAt < LOG_INTERVAL_MS) return;
    this.nonsenseLoggedAt = performance.now();
    this.logger.warn(`What is in the stream ${STREAM} makes no sense and is passed over: ${error.name}`);
  }
}

/** The package's adapter would send to this node's sockets, and put them out of rooms or off, only when Redis has answered, and late or never when it is away. */
function deliverHereFirst(adapter: Adapter): Adapter {
  const broadcast = adapter.broadcast.bind(adapter);
  const leave = adapter.delSockets.bind(adapter);
  const disconnect = adapter.disconnectSockets.bind(adapter);
  const { publish } = adapter as unknown as { publish: (message: object) => void };
  return Object.assign(adapter, {
    broadcast: (...[packet, options]: Broadcast): void => {
      broadcast(packet, { ...options, flags: { ...options.flags, local: true } });
      if (options.flags?.local === true) return;
      const { rooms, except = [], flags } = options;
      publish.call(adapter, {
        type: BROADCAST,
        data: { packet, opts: { rooms: [...rooms], except: [...except], flags } },
      });
    },
    delSockets: (options: Departure[0], left: Departure[1]): void => {
      leave({ ...options, flags: { ...options.flags, local: true } }, left);
      if (options.flags?.local === true) return;
      const { rooms, except = [], flags } = options;
      publish.call(adapter, {
        type: SOCKETS_LEAVE,
        data: { opts: { rooms: [...rooms], except: [...except], flags }, rooms: left },
      });
    },
    disconnectSockets: (options: Disconnection[0], close: boolean): void => {
      disconnect({ ...options, flags: { ...options.flags, local: true } }, close);
      if (options.flags?.local === true) return;
      const { rooms, except = [], flags } = options;
      publish.call(adapter, {
        type: DISCONNECT_SOCKETS,
        data: { opts: { rooms: [...rooms], except: [...except], flags }, close },
      });
    },
  });
}
