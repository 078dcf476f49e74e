import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import { type EngineConnection, Outbox } from './outbox.js';
import type { RealtimeServer } from './socket.types.js';

const CHECK_INTERVAL_MS = 1000;
/** So many checks in a row without progress make a client one that does not read. On a slow line progress comes in lumps. */
const MAX_CHECKS_WITHOUT_PROGRESS = 5;
/** A queue that grows faster than checks can see is cut off at so many times the limit, … */
const CEILING_FACTOR = 8;
/** … but never by one answer alone: the largest, 100 messages of 4,000 characters, is sent twice, in all some 6 MB. */
const MIN_CEILING_BYTES = 8 * 1024 * 1024;

/** A request as Engine.IO passes it on: one of a client that polls says whose it is. */
type PollRequest = IncomingMessage & { _query: { sid?: string } };

/** A connection, and since when more than the limit waits for it without getting less. */
interface Watched {
  outbox: Outbox;
  lowestBytes: number;
  checksWithoutProgress: number;
  isDoomed: boolean;
}

/**
 * Closes connections whose clients do not read (contract §9): what they are sent would fill the memory. Volatile events are dropped for
 * them before, by Socket.IO itself, because their transport is never writable. The others are not held back: each has its own queue.
 *
 * More than `limitBytes` may wait while it gets less, so that a slow line can take a long history; a client that asks for more and more
 * of it, or that is sent faster than it reads, ends at the ceiling or at the next pause.
 */
export class SlowConsumers {
  private readonly log = new Logger(SlowConsumers.name);
  private readonly ceilingBytes: number;
  private readonly watched = new Map<EngineConnection, Watched>();
  private timer: NodeJS.Timeout | undefined;
  /** Closed since the last line in the log. */
  private closed = 0;
  private firstClosed = '';

  constructor(private readonly limitBytes: number) {
    this.ceilingBytes = Math.max(CEILING_FACTOR * limitBytes, MIN_CEILING_BYTES);
  }

  /** Watches every connection of the server from now on, until `stop`. */
  watch(server: RealtimeServer): void {
    server.engine.on('connection', (conn: EngineConnection) => this.add(conn, server));
    server.engine.on('headers', (_headers: object, request: PollRequest) => this.notePoll(request, server));
    this.timer = setInterval(() => this.check(server), CHECK_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private add(conn: EngineConnection, server: RealtimeServer): void {
    const outbox = new Outbox(conn);
    const watched = { outbox, lowestBytes: Infinity, checksWithoutProgress: 0, isDoomed: false };
    this.watched.set(conn, watched);
    // Between two checks a client that asks and does not read could fill the memory.
    conn.on('packetCreate', (packet: Parameters<Outbox['add']>[0]) => {
      if (outbox.add(packet) > this.ceilingBytes) this.doom(watched, server);
    });
    this.watchPings(watched, server);
    conn.once('upgrade', () => this.watchPings(watched, server));
  }

  /** The WebSocket itself answers a client's pings, past Engine.IO and its queue. */
  private watchPings(watched: Watched, server: RealtimeServer): void {
    const { outbox } = watched;
    const { socket } = outbox.conn.transport as { socket?: EventEmitter };
    socket?.on('ping', () => {
      if (outbox.holdsMoreThan(this.ceilingBytes)) this.doom(watched, server);
    });
  }

  private notePoll({ method, socket, _query: query }: PollRequest, { engine }: RealtimeServer): void {
    const conn = method === 'GET' ? engine['clients'][query.sid ?? ''] : undefined;
    if (conn !== undefined) this.watched.get(conn)?.outbox.addPoll(socket);
  }

  private check(server: RealtimeServer): void {
    for (const [conn, watched] of this.watched) {
      if (conn.readyState === 'closed') this.watched.delete(conn);
      const bytes = watched.outbox.waitingBytes();
      if (bytes > this.limitBytes) this.judge(watched, bytes, server);
      else watched.lowestBytes = Infinity;
    }
    this.report();
  }

  private judge(watched: Watched, bytes: number, server: RealtimeServer): void {
    if (bytes < watched.lowestBytes) {
      watched.lowestBytes = bytes;
      watched.checksWithoutProgress = 0;
      return;
    }
    watched.checksWithoutProgress += 1;
    if (watched.checksWithoutProgress >= MAX_CHECKS_WITHOUT_PROGRESS) this.close(watched, server);
  }

  /** Not at once: somebody is in the middle of a broadcast. */
  private doom(watched: Watched, server: RealtimeServer): void {
    if (watched.isDoomed) return;
    watched.isDoomed = true;
    process.nextTick(() => this.close(watched, server));
  }

  private close({ outbox }: Watched, server: RealtimeServer): void {
    this.watched.delete(outbox.conn);
    if (outbox.conn.readyState === 'closed') return;
    this.closed += 1;
    if (this.closed === 1) this.firstClosed = describe(outbox, server);
    outbox.destroy();
  }

  /** One line a second at the most. */
  private report(): void {
    if (this.closed === 0) return;
    const others = this.closed === 1 ? '' : `, and ${this.closed - 1} more`;
    this.log.warn(`Closed for not reading what it was sent: ${this.firstClosed}${others}`);
    this.closed = 0;
  }
}

/** Nobody's name and no content. */
function describe(outbox: Outbox, { sockets }: RealtimeServer): string {
  const socket = [...sockets.sockets.values()].find(({ conn }) => conn === outbox.conn);
  const who =
    socket === undefined ? 'a connection without identity' : `${socket.data.user.type} ${socket.id}`;
  return `${who} (${outbox.waitingBytes()} bytes waited)`;
}
