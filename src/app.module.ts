import { type DynamicModule, Module } from '@nestjs/common';
import { AgoraModule } from './agora/agora.module.js';
import { CallModule } from './call/call.module.js';
import { ChatModule } from './chat/chat.module.js';
import type { AppConfig } from './config/config.js';
import { AppConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DirectMessageModule } from './direct-message/direct-message.module.js';
import { HealthModule } from './health/health.module.js';
import { LiveModule } from './live/live.module.js';
import { NodesModule } from './nodes/nodes.module.js';
import { PushModule } from './push/push.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { PresenceModule } from './presence/presence.module.js';

@Module({})
export class AppModule {
  static with(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AppConfigModule.with(config),
        DatabaseModule,
        NodesModule,
        HealthModule,
        AgoraModule,
        PushModule,
        PresenceModule,
        SessionsModule,
        DirectMessageModule,
        CallModule,
        LiveModule,
        ChatModule,
      ],
    };
  }
}
