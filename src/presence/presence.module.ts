import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { NodeRegistry } from '../nodes/node-registry.js';
import { NodesModule } from '../nodes/nodes.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { RedisConnection } from '../redis/redis-connection.js';
import { RedisModule } from '../redis/redis.module.js';
import { LostNodePeople } from './lost-node-people.js';
import { MemoryPresenceStore } from './memory-presence.store.js';
import { PresenceGateway } from './presence.gateway.js';
import { PresenceRepository } from './presence.repository.js';
import { StoredPresence, StoredPresenceSchema } from './presence.schema.js';
import { PresenceService } from './presence.service.js';
import { PresenceStore } from './presence.store.js';
import { PresenceTimes } from './presence-times.js';
import { PresenceTracker } from './presence-tracker.js';
import { RedisPresenceStore } from './redis-presence.store.js';

@Module({
  imports: [
    NodesModule,
    RealtimeModule,
    RedisModule,
    MongooseModule.forFeature([{ name: StoredPresence.name, schema: StoredPresenceSchema }]),
  ],
  providers: [
    PresenceGateway,
    PresenceService,
    PresenceTracker,
    LostNodePeople,
    PresenceRepository,
    PresenceTimes,
    {
      provide: PresenceStore,
      inject: [RedisConnection, NodeRegistry, PresenceTimes],
      useFactory: (
        { client }: RedisConnection,
        { nodeId }: NodeRegistry,
        times: PresenceTimes,
      ): PresenceStore =>
        client === undefined ? new MemoryPresenceStore() : new RedisPresenceStore(client, nodeId, times),
    },
  ],
  exports: [PresenceService, PresenceTimes],
})
export class PresenceModule {}
