import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { Redis } from 'ioredis';
import type { Namespace, Server } from 'socket.io';
import { RedisConnection } from '../redis/redis-connection.js';

type Adapter = Namespace['adapter'];
type Broadcast = Parameters<Adapter['broadcast']>;

const STREAM = 'samvad:broadcasts';
/** Entries kept, about: a node that was cut off for longer misses some, and its clients catch up by `seq`. */
const MAX_STREAM_LENGTH = 10_000;
const BLOCK_MS = 2000;
/** A reader that hears nothing for longer than it asked Redis to wait has lost its connection. */
const READER_SOCKET_TIMEOUT_MS = 3 * BLOCK_MS;
/** A broadcast that owes its answer for longer lost its connection. */
const PUBLISHER_SOCKET_TIMEOUT_MS = 2000;
/** Broadcasts wait for so many tries to connect, some 2 s in all, and are dropped then: what comes later would only surprise. */
const PUBLISHER_RETRIES = 5;
/** After an error of Redis the reader would ask again at once, without end. */
const READER_PAUSE_MS = 500;
/** The start waits no longer for the place from which to read. */
const START_PATIENCE_MS = 1000;
/** `MessageType.BROADCAST` of socket.io-adapter. */
const BROADCAST = 3;

/**
 * Takes what one node sends to rooms to the sockets of all nodes, through a Redis stream, when REDIS_URL is set. The sockets of the sending
 * node do not wait for it: while Redis is away they get everything, and those of other nodes catch up.
 */
@Injectable()
export class ClusterBroadcasts implements OnApplicationBootstrap {
  private readonly clients: Redis[] = [];
  private isClosing = false;
  private tellPlaceIsKnown: () => void = () => undefined;
  /** Resolves when the reader knows from where it reads: nothing that is sent from then on is missed. */
  private readonly placeIsKnown = new Promise<void>((resolve) => (this.tellPlaceIsKnown = resolve));

  constructor(private readonly redis: RedisConnection) {}

  /** Before the server listens. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.clients.length === 0) return;
    await Promise.race([this.placeIsKnown, wait(START_PATIENCE_MS, undefined, { ref: false })]);
  }

  /** The `adapter` option of the one Socket.IO server; undefined without REDIS_URL. To be called once. */
  adapter(): Parameters<Server['adapter']>[0] | undefined {
    if (this.redis.client === undefined) return undefined;
    const publisher = this.open({
      maxRetriesPerRequest: PUBLISHER_RETRIES,
      // What was sent and not answered may have arrived: sent again, it would come twice.
      autoResendUnfulfilledCommands: false,
      socketTimeout: PUBLISHER_SOCKET_TIMEOUT_MS,
    });
    // The package duplicates the publisher for reading, with its options; those are wrong there.
    Object.assign(publisher, { duplicate: () => this.openReader() });
    const create = createAdapter(publisher, {
      streamName: STREAM,
      channelPrefix: STREAM,
      maxLen: MAX_STREAM_LENGTH,
      blockTimeInMs: BLOCK_MS,
      onlyPlaintext: true,
    }) as (namespace: Namespace) => Adapter;
    // A function, because Socket.IO calls it with `new`.
    return function (namespace: Namespace) {
      return deliverHereFirst(create(namespace));
    } as never;
  }

  /** After the Socket.IO server has closed, which ends the reading. */
  close(): void {
    this.isClosing = true;
    for (const client of this.clients) client.disconnect();
  }

  private open(options: Parameters<RedisConnection['open']>[0]): Redis {
    const client = this.redis.open(options);
    this.clients.push(client);
    return client;
  }

  /**
   * A connection for the package's reading. The package says “from the end” until it has read something, so what is sent between two of its
   * questions would be missed: here the end is looked up once, and is the place from then on.
   */
  private openReader(): Redis {
    const reader = this.open({ maxRetriesPerRequest: null, socketTimeout: READER_SOCKET_TIMEOUT_MS });
    const read = reader.xread.bind(reader) as (...args: unknown[]) => Promise<unknown>;
    const subscribe = reader.subscribe.bind(reader) as (...args: unknown[]) => Promise<unknown>;
    let place: string | undefined;
    const xread = async (...args: unknown[]): Promise<unknown> => {
      try {
        if (args.at(-1) === '$') {
          place ??= await endOf(reader);
          this.tellPlaceIsKnown();
          args[args.length - 1] = place;
        }
        return await read(...args);
      } catch (error) {
        if (!this.isClosing) await wait(READER_PAUSE_MS);
        throw error;
      }
    };
    return Object.assign(reader, {
      xread,
      // Nobody listens for its failure, which a close before the first connection is.
      subscribe: (...args: unknown[]) => subscribe(...args).catch(() => undefined),
    });
  }
}

async function endOf(reader: Redis): Promise<string> {
  const [newest] = await reader.xrevrange(STREAM, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

/** The package's adapter would send to this node's sockets only when Redis has answered, and late or never when it is away. */
function deliverHereFirst(adapter: Adapter): Adapter {
  const broadcast = adapter.broadcast.bind(adapter);
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
  });
}
