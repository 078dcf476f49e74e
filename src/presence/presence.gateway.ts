import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { Identity } from '../contract/identity.js';
import type { PresenceListPayload, StatsPayload } from '../contract/presence.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { PresenceGetDto } from './presence.dto.js';
import { PresenceService } from './presence.service.js';

@RealtimeGateway()
export class PresenceGateway {
  constructor(private readonly service: PresenceService) {}

  @SubscribeMessage('presence:get')
  async get(@MessageBody() { users }: PresenceGetDto): Promise<PresenceListPayload> {
    return { users: await this.service.get(users) };
  }

  @SubscribeMessage('get_stats')
  stats(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
  ): Promise<StatsPayload | object> {
    return this.service.stats(user, socket.id);
  }
}
