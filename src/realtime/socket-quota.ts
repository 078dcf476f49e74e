import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { type Identity, isSharedAdmin } from '../contract/identity.js';
import type { AuthDisconnectedPayload } from '../contract/session.js';
import { type Connection, Connections } from './connections.js';
import { EmitterService } from './emitter.service.js';
import { identityRoom, ownRoom } from './rooms.js';
import { SharedSockets } from './shared-sockets.js';

const PUT_OUT: AuthDisconnectedPayload = {
  reason: 'too_many_connections',
  message: 'There are too many newer connections of the same identity.',
};

/**
 * At most 10 connections of an identity, 200 of the shared admin (contract §9): of one more, the oldest goes, and is told why. On this node at
 * once, from memory; over all nodes by what they write into Redis, one command for each that comes or goes. While Redis is away the bound is
 * each node's own.
 */
@Injectable()
export class SocketQuota {
  constructor(
    private readonly config: AppConfig,
    connections: Connections,
    private readonly emitter: EmitterService,
    private readonly shared: SharedSockets,
  ) {
    shared.onExcess((socketIds) => this.putOut(socketIds));
    connections.onArrival((connection) => this.arrived(connection));
    connections.onDeparture((connection) => this.shared.remove(connection));
  }

  private arrived(connection: Connection): void {
    const most = this.mostOf(connection.user);
    // The room has its sockets in the order in which they came.
    const here = this.emitter.socketsIn(identityRoom(connection.user));
    this.putOut(here.slice(0, Math.max(here.length - most, 0)));
    // Nobody waits for it: a Redis that hangs holds up no newcomer.
    void this.shared.add(connection, most);
  }

  private mostOf(user: Identity): number {
    const { socketsPerIdentity, socketsOfSharedAdmin } = this.config.limits;
    return isSharedAdmin(user) ? socketsOfSharedAdmin : socketsPerIdentity;
  }

  private putOut(socketIds: string[]): void {
    for (const socketId of socketIds) this.emitter.disconnect(ownRoom(socketId), PUT_OUT);
  }
}
