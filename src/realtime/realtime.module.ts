import { Module, type OnModuleDestroy } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { RedisModule } from '../redis/redis.module.js';
import { ClusterBroadcasts } from './cluster-broadcasts.js';
import { Connections } from './connections.js';
import { EmitterService } from './emitter.service.js';
import { EventDispatcher } from './event-dispatcher.js';
import { EventLimits } from './event-limits.js';
import { Logins } from './logins.js';
import { SharedSockets } from './shared-sockets.js';
import { SocketQuota } from './socket-quota.js';
import { TokenExpiry } from './token-expiry.js';

/** How long a shutdown waits for events under way. */
const DRAIN_TIMEOUT_MS = 2000;

@Module({
  imports: [AuthModule, LimitsModule, RedisModule],
  providers: [
    ClusterBroadcasts,
    Connections,
    EmitterService,
    EventDispatcher,
    EventLimits,
    Logins,
    SharedSockets,
    SocketQuota,
    TokenExpiry,
  ],
  exports: [Connections, EmitterService, EventDispatcher, Logins, TokenExpiry],
})
export class RealtimeModule implements OnModuleDestroy {
  constructor(private readonly dispatcher: EventDispatcher) {}

  /** The first thing at a shutdown, while sockets are open: what is under way is answered before they are closed. */
  async onModuleDestroy(): Promise<void> {
    await this.dispatcher.drain(DRAIN_TIMEOUT_MS);
  }
}
