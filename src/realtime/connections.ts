import { Injectable, Logger } from '@nestjs/common';
import type { Identity } from '../contract/identity.js';
import { stackOf } from '../logging/stack-of.js';

/** A socket that was let in. */
export interface Connection {
  socketId: string;
  user: Identity;
}

/** A greeting waits no longer than this for the arrival hooks, in milliseconds: what they reach may be away. */
const ARRIVAL_PATIENCE_MS = 1500;

type Listener = (connection: Connection) => unknown;

interface Hook {
  listener: Listener;
  /** Whether it failed the last time: a fault that lasts is not logged for everyone who comes and goes. */
  isFailing: boolean;
}

/**
 * Tells other parts of the application of sockets that come and go. Gateways must not do this themselves: Nest calls their hooks
 * unawaited and once per gateway.
 */
@Injectable()
export class Connections {
  private readonly logger = new Logger(Connections.name);
  private readonly arrivals: Hook[] = [];
  private readonly departures: Hook[] = [];
  private readonly greetings: Hook[] = [];
  /** Settled when the arrival hooks of a socket are done, by socket id; the departure waits for it. */
  private readonly arriving = new Map<string, Promise<void>>();

  /**
   * `listener` is awaited before the socket is sent `connected`, for 1.5 s at the most. What it throws keeps nobody out, and is logged, once
   * until it works again.
   */
  onArrival(listener: Listener): void {
    this.arrivals.push({ listener, isFailing: false });
  }

  /** `listener` is called when the socket has been sent `connected`, for what is to come after it. What it throws is logged likewise. */
  onGreeted(listener: Listener): void {
    this.greetings.push({ listener, isFailing: false });
  }

  /** `listener` is called after the socket has gone, and after all of its arrival hooks. What it throws is logged, once until it works again. */
  onDeparture(listener: Listener): void {
    this.departures.push({ listener, isFailing: false });
  }

  /** Called by the adapter. Resolves when the socket may be greeted; never rejects. */
  async arrived(connection: Connection): Promise<void> {
    const arriving = this.runAll(this.arrivals, connection);
    this.arriving.set(connection.socketId, arriving);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ARRIVAL_PATIENCE_MS).unref();
    });
    await Promise.race([arriving, patience]);
    // Of a crowd thousands would be kept, with all that they hold.
    clearTimeout(timer);
  }

  /** Called by the adapter. Never rejects. */
  async greeted(connection: Connection): Promise<void> {
    await this.runAll(this.greetings, connection);
  }

  /** Called by the adapter, once for each socket that arrived. Never rejects. */
  async departed(connection: Connection): Promise<void> {
    await this.arriving.get(connection.socketId);
    this.arriving.delete(connection.socketId);
    await this.runAll(this.departures, connection);
  }

  private async runAll(hooks: Hook[], connection: Connection): Promise<void> {
    await Promise.all(hooks.map((hook) => this.run(hook, connection)));
  }

  private async run(hook: Hook, connection: Connection): Promise<void> {
    try {
      await hook.listener(connection);
      hook.isFailing = false;
    } catch (error) {
      if (!hook.isFailing) this.logger.error('A connection hook failed', stackOf(error));
      hook.isFailing = true;
    }
  }
}
