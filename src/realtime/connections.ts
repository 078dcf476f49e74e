import { setTimeout } from 'node:timers/promises';
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

type Hook = (connection: Connection) => unknown;

/**
 * Tells other parts of the application of sockets that come and go. Gateways must not do this themselves: Nest calls their hooks
 * unawaited and once per gateway.
 */
@Injectable()
export class Connections {
  private readonly logger = new Logger(Connections.name);
  private readonly arrivals: Hook[] = [];
  private readonly departures: Hook[] = [];
  /** Settled when the arrival hooks of a socket are done, by socket id; the departure waits for it. */
  private readonly arriving = new Map<string, Promise<void>>();

  /** `hook` is awaited before the socket is sent `connected`, for 1.5 s at the most. What it throws is logged: it keeps nobody out. */
  onArrival(hook: Hook): void {
    this.arrivals.push(hook);
  }

  /** `hook` is called after the socket has gone, and after all of its arrival hooks. What it throws is logged. */
  onDeparture(hook: Hook): void {
    this.departures.push(hook);
  }

  /** Called by the adapter. Resolves when the socket may be greeted; never rejects. */
  async arrived(connection: Connection): Promise<void> {
    const arriving = this.runAll(this.arrivals.map((hook) => () => hook(connection)));
    this.arriving.set(connection.socketId, arriving);
    await Promise.race([arriving, setTimeout(ARRIVAL_PATIENCE_MS, undefined, { ref: false })]);
  }

  /** Called by the adapter, once for each socket that arrived. Never rejects. */
  async departed(connection: Connection): Promise<void> {
    await this.arriving.get(connection.socketId);
    this.arriving.delete(connection.socketId);
    await this.runAll(this.departures.map((hook) => () => hook(connection)));
  }

  private async runAll(hooks: (() => unknown)[]): Promise<void> {
    await Promise.all(
      hooks.map(async (hook) => {
        try {
          await hook();
        } catch (error) {
          this.logger.error('A connection hook failed', stackOf(error));
        }
      }),
    );
  }
}
