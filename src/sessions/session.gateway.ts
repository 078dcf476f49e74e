import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { Identity } from '../contract/identity.js';
import type { AdminDisconnectPayload, AuthRefreshPayload } from '../contract/session.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { DisconnectDto, RefreshDto } from './session.dto.js';
import { SessionService } from './session.service.js';

@RealtimeGateway()
export class SessionGateway {
  constructor(private readonly service: SessionService) {}

  @SubscribeMessage('auth:refresh')
  refresh(
    @ConnectedSocket() { id, data }: RealtimeSocket,
    @MessageBody() { token }: RefreshDto,
  ): Promise<AuthRefreshPayload> {
    return this.service.refresh(id, data, token);
  }

  @SubscribeMessage('admin:disconnect')
  disconnect(
    @CurrentUser() user: Identity,
    @ConnectedSocket() { id }: RealtimeSocket,
    @MessageBody() { userId, userType, reason }: DisconnectDto,
  ): AdminDisconnectPayload {
    return this.service.disconnect(user, id, { id: userId, type: userType }, reason ?? '');
  }
}
