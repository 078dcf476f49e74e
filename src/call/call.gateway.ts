import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type {
  CallAcceptedPayload,
  CallHistoryPayload,
  CallInitiatedPayload,
  CallOutcomePayload,
  CallStatePayload,
  CallTokenPayload,
} from '../contract/call.js';
import type { Identity } from '../contract/identity.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import {
  CallDto,
  CallHistoryDto,
  CallStateDto,
  CallTokenDto,
  EndCallDto,
  InitiateCallDto,
  QueuedCallActionDto,
} from './call.dto.js';
import { CallInitiationService } from './call-initiation.service.js';
import { CallListService } from './call-list.service.js';
import { CallService } from './call.service.js';
import { CallTokensService } from './call-tokens.service.js';

@RealtimeGateway()
export class CallGateway {
  constructor(
    private readonly initiation: CallInitiationService,
    private readonly service: CallService,
    private readonly tokens: CallTokensService,
    private readonly lists: CallListService,
  ) {}

  @SubscribeMessage('call:initiate')
  initiate(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: InitiateCallDto,
  ): Promise<CallInitiatedPayload> {
    return this.initiation.initiate(user, socket.id, dto);
  }

  @SubscribeMessage('call:accept')
  accept(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { callId }: CallDto,
  ): Promise<CallAcceptedPayload> {
    return this.service.accept(user, socket.id, callId);
  }

  @SubscribeMessage('call:reject')
  reject(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { callId, reason }: EndCallDto,
  ): Promise<CallOutcomePayload> {
    return this.service.reject(user, socket.id, callId, reason);
  }

  @SubscribeMessage('call:connected')
  connected(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { callId }: CallDto,
  ): Promise<CallOutcomePayload> {
    return this.service.connected(user, socket.id, callId);
  }

  @SubscribeMessage('call:end')
  end(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { callId, reason }: EndCallDto,
  ): Promise<CallOutcomePayload> {
    return this.service.end(user, socket.id, callId, reason);
  }

  @SubscribeMessage('call')
  replay(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: QueuedCallActionDto,
  ): Promise<CallOutcomePayload | CallAcceptedPayload> {
    return this.service.replay(user, socket.id, dto);
  }

  @SubscribeMessage('call:token')
  token(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: CallTokenDto,
  ): Promise<CallTokenPayload> {
    return this.tokens.refresh(user, socket.id, dto);
  }

  @SubscribeMessage('call:state')
  state(@CurrentUser() user: Identity, @MessageBody() dto: CallStateDto): Promise<CallStatePayload> {
    return this.lists.state(user, dto);
  }

  @SubscribeMessage('call:history')
  history(@CurrentUser() user: Identity, @MessageBody() dto: CallHistoryDto): Promise<CallHistoryPayload> {
    return this.lists.history(user, dto);
  }
}
