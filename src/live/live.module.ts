import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { AgoraModule } from '../agora/agora.module.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import { NodesModule } from '../nodes/nodes.module.js';
import { OpenRoomsModule } from '../open-rooms/open-rooms.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { RedisConnection } from '../redis/redis-connection.js';
import { RedisModule } from '../redis/redis.module.js';
import { BroadcastService } from './broadcast.service.js';
import { CommentModerationService } from './comment-moderation.service.js';
import { CommentService } from './comment.service.js';
import { FirstViewsService } from './first-views.service.js';
import { GiftCompletionService } from './gift-completion.service.js';
import { GiftDeadlinesService } from './gift-deadlines.service.js';
import { GiftLedger, NoGiftLedger } from './gift-ledger.js';
import { GiftService } from './gift.service.js';
import { InteractionGateway } from './interaction.gateway.js';
import { LifecycleGateway } from './lifecycle.gateway.js';
import { LikeCountsService } from './like-counts.service.js';
import { LikeTellingsService } from './like-tellings.service.js';
import { LikeService } from './like.service.js';
import { LiveCommentRepository } from './live-comment.repository.js';
import { LiveComment, LiveCommentSchema } from './live-comment.schema.js';
import { LiveGiftRepository } from './live-gift.repository.js';
import { LiveGift, LiveGiftSchema } from './live-gift.schema.js';
import { LiveLookService } from './live-look.service.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { LiveStream, LiveStreamSchema } from './live-stream.schema.js';
import { LiveTimes } from './live-times.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { LiveViewer, LiveViewerSchema } from './live-viewer.schema.js';
import { MemoryViewerStore } from './memory-viewer.store.js';
import { MissedBansService } from './missed-bans.service.js';
import { ModerationGateway } from './moderation.gateway.js';
import { ModerationService } from './moderation.service.js';
import { ReactionService } from './reaction.service.js';
import { ReactionTurns } from './reaction-turns.js';
import { RedisViewerStore } from './redis-viewer.store.js';
import { StreamAccessService } from './stream-access.service.js';
import { StreamDeadlinesService } from './stream-deadlines.service.js';
import { StreamEndService } from './stream-end.service.js';
import { StreamListService } from './stream-list.service.js';
import { ViewerCountsService } from './viewer-counts.service.js';
import { ViewerStore } from './viewer.store.js';
import { WatchingService } from './watching.service.js';

@Module({
  imports: [
    RealtimeModule,
    RedisModule,
    NodesModule,
    AgoraModule,
    PresenceModule,
    OpenRoomsModule,
    MongooseModule.forFeature([
      { name: LiveStream.name, schema: LiveStreamSchema },
      { name: LiveViewer.name, schema: LiveViewerSchema },
      { name: LiveComment.name, schema: LiveCommentSchema },
      { name: LiveGift.name, schema: LiveGiftSchema },
    ]),
  ],
  providers: [
    LifecycleGateway,
    InteractionGateway,
    ModerationGateway,
    BroadcastService,
    WatchingService,
    StreamListService,
    StreamEndService,
    StreamDeadlinesService,
    LiveLookService,
    MissedBansService,
    FirstViewsService,
    ViewerCountsService,
    LikeCountsService,
    LikeTellingsService,
    LiveStreamRepository,
    LiveViewerRepository,
    LiveCommentRepository,
    LiveGiftRepository,
    StreamAccessService,
    CommentService,
    CommentModerationService,
    ModerationService,
    GiftService,
    GiftCompletionService,
    GiftDeadlinesService,
    LikeService,
    ReactionService,
    LiveTimes,
    // Another ledger is named here.
    { provide: GiftLedger, useClass: NoGiftLedger },
    {
      provide: ReactionTurns,
      inject: [RedisConnection],
      useFactory: ({ client }: RedisConnection): ReactionTurns => new ReactionTurns(client),
    },
    {
      provide: ViewerStore,
      inject: [RedisConnection, NodeRegistry, LiveTimes],
      useFactory: (
        { client }: RedisConnection,
        { nodeId }: NodeRegistry,
        { leaseMs }: LiveTimes,
      ): ViewerStore =>
        client === undefined ? new MemoryViewerStore() : new RedisViewerStore(client, nodeId, leaseMs),
    },
  ],
})
export class LiveModule {}
