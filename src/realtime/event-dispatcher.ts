import { Injectable, Logger } from '@nestjs/common';
import { isObservable } from 'rxjs';
import type { Ack } from '../contract/ack.js';
import { AppError } from '../contract/errors.js';
import { EventLimits } from './event-limits.js';
import { Reply } from './reply.js';
import type { RealtimeSocket } from './socket.types.js';
import { toAppError } from './to-app-error.js';

/** An event that has no answer by then is answered UNAVAILABLE, so that nobody waits on a database that hangs. */
const ANSWER_DEADLINE_MS = 4500;
/** Of an unknown event's name, which is the client's text, no more than this goes back. */
const MAX_ECHOED_NAME_LENGTH = 100;

/** Nest's pipeline around a gateway method: guard, pipe, method, error filter. */
export type EventHandler = (payload: unknown, reply: Reply) => unknown;

type HandlerTable = Map<string, EventHandler>;

/** Has Nest make the handlers of one gateway for a socket, which calls `bind`. */
export type Gateway = (socket: RealtimeSocket) => void;

/**
 * Takes each event of a socket to its handler and sees to it that it is answered exactly once.
 * One listener per socket, whatever the number of events: Nest's own binding costs an idle socket with sixty events fifteen times as much memory.
 * And the handlers of a gateway, closures over their socket, are made when the socket first uses it.
 */
@Injectable()
export class EventDispatcher {
  private readonly logger = new Logger(EventDispatcher.name);
  private readonly gateways: Gateway[] = [];
  /** By event; known when the first socket has used any. */
  private readonly gatewayOf = new Map<string, Gateway>();
  private readonly tables = new WeakMap<RealtimeSocket, HandlerTable>();
  private readonly inFlight = new Set<Promise<void>>();
  private draining = false;

  constructor(private readonly limits: EventLimits) {}

  /** Whether new events are refused, because this node is shutting down. */
  get isDraining(): boolean {
    return this.draining;
  }

  /** Before the server listens. */
  addGateway(gateway: Gateway): void {
    this.gateways.push(gateway);
  }

  /** From now on the socket's events are handled. */
  listen(socket: RealtimeSocket): void {
    const table: HandlerTable = new Map();
    this.tables.set(socket, table);
    socket.onAny((event: unknown, ...args: unknown[]) => this.receive(socket, table, String(event), args));
  }

  /** Adds a gateway's handlers for a socket that listens. */
  bind(socket: RealtimeSocket, handlers: { message: string; callback: EventHandler }[]): void {
    const table = this.tables.get(socket);
    for (const { message, callback } of handlers) table?.set(message, callback);
  }

  /**
   * Refuses new events from now on and waits for those under way.
   * @param timeoutMs after which it waits no longer
   */
  async drain(timeoutMs: number): Promise<void> {
    this.draining = true;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([Promise.all(this.inFlight), timeout]);
    clearTimeout(timer);
  }

  private handlerOf(event: string, socket: RealtimeSocket, table: HandlerTable): EventHandler | undefined {
    if (this.gatewayOf.size === 0) this.learnGateways(socket, table);
    if (!table.has(event)) this.gatewayOf.get(event)?.(socket);
    return table.get(event);
  }

  /** Which gateway has which events shows when their handlers are made. */
  private learnGateways(socket: RealtimeSocket, table: HandlerTable): void {
    for (const gateway of this.gateways) {
      gateway(socket);
      for (const event of table.keys()) if (!this.gatewayOf.has(event)) this.gatewayOf.set(event, gateway);
    }
  }

  private receive(socket: RealtimeSocket, table: HandlerTable, event: string, args: unknown[]): void {
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as (answer: Ack) => void) : undefined;
    const payload = args[0] === ack ? undefined : args[0];
    const reply = new Reply(socket, event.slice(0, MAX_ECHOED_NAME_LENGTH), ack);
    const handler = this.handlerOf(event, socket, table);
    const handling = this.handle(socket, handler, event, payload, reply).finally(() => {
      this.inFlight.delete(handling);
      // What nobody handles has a name that is the client's own text.
      if (handler !== undefined && Logger.isLevelEnabled('debug'))
        this.logger.debug(`${reply.describe()}: ${reply.outcome ?? 'no answer'}`);
    });
    this.inFlight.add(handling);
  }

  /** Never rejects. */
  private async handle(
    socket: RealtimeSocket,
    handler: EventHandler | undefined,
    event: string,
    payload: unknown,
    reply: Reply,
  ): Promise<void> {
    if (this.draining)
      return reply.fail(new AppError('UNAVAILABLE', 'This server is shutting down. Reconnect.'));
    if (this.limits.isOn) {
      const verdict = await this.limits.judge(socket, event);
      if (verdict === 'dropped') return reply.succeed({});
      if (verdict !== 'passed') return reply.fail(verdict);
    }
    if (handler === undefined) return reply.fail(new AppError('UNKNOWN_EVENT', 'There is no such event.'));
    const deadline = setTimeout(() => {
      this.logger.warn(`${reply.describe()}: no answer within ${ANSWER_DEADLINE_MS} ms`);
      reply.fail(new AppError('UNAVAILABLE', 'The server did not finish in time. Try again.'));
    }, ANSWER_DEADLINE_MS);
    try {
      const result = await handler(payload, reply);
      if (isObservable(result))
        throw new TypeError('a handler must return a value or a promise, not an Observable');
      reply.succeed(result);
    } catch (error) {
      reply.fail(toAppError(error, reply.describe()));
    } finally {
      clearTimeout(deadline);
    }
  }
}
