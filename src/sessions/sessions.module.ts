import { Module } from '@nestjs/common';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { SessionGateway } from './session.gateway.js';
import { SessionService } from './session.service.js';

@Module({ imports: [RealtimeModule], providers: [SessionGateway, SessionService] })
export class SessionsModule {}
