import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { AgoraModule } from '../agora/agora.module.js';
import { BlockModule } from '../messaging/block.module.js';
import { CallLogModule } from '../messaging/call-log.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { PushModule } from '../push/push.module.js';
import { RedisModule } from '../redis/redis.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { CallAnnouncer } from './call-announcer.js';
import { CallArrivalsService } from './call-arrivals.service.js';
import { CallDeadlinesService } from './call-deadlines.service.js';
import { CallFollowUpService } from './call-follow-up.service.js';
import { CallGateway } from './call.gateway.js';
import { CallInitiationService } from './call-initiation.service.js';
import { CallListService } from './call-list.service.js';
import { CallPresenceService } from './call-presence.service.js';
import { CallRepository } from './call.repository.js';
import { Call, CallSchema } from './call.schema.js';
import { CallService } from './call.service.js';
import { CallTimes } from './call-times.js';
import { CallTokensService } from './call-tokens.service.js';
import { CallParties } from './call-parties.js';
import { ToldCalls } from './told-calls.js';
import { CallTransitions } from './call-transitions.service.js';

@Module({
  imports: [
    RealtimeModule,
    RedisModule,
    AgoraModule,
    PresenceModule,
    PushModule,
    BlockModule,
    CallLogModule,
    MongooseModule.forFeature([{ name: Call.name, schema: CallSchema }]),
  ],
  providers: [
    CallGateway,
    CallInitiationService,
    CallService,
    CallTokensService,
    CallListService,
    CallTransitions,
    CallFollowUpService,
    CallAnnouncer,
    CallArrivalsService,
    CallPresenceService,
    CallDeadlinesService,
    CallParties,
    ToldCalls,
    CallRepository,
    CallTimes,
  ],
})
export class CallModule {}
