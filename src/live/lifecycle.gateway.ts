import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type {
  LiveActivePayload,
  LivePlacePayload,
  LiveSnapshotPayload,
  LiveSummaryPayload,
  LiveTokenPayload,
} from '../contract/live.js';
import type { Identity } from '../contract/identity.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import type { RealtimeSocket } from '../realtime/socket.types.js';
import { BroadcastService } from './broadcast.service.js';
import { ActiveStreamsDto, JoinStreamDto, StartStreamDto, StreamDto } from './live.dto.js';
import { StreamListService } from './stream-list.service.js';
import { WatchingService } from './watching.service.js';

/** How streams begin, are watched and end. */
@RealtimeGateway()
export class LifecycleGateway {
  constructor(
    private readonly broadcasts: BroadcastService,
    private readonly watching: WatchingService,
    private readonly lists: StreamListService,
  ) {}

  @SubscribeMessage('live:start')
  start(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: StartStreamDto,
  ): Promise<LiveTokenPayload> {
    return this.broadcasts.start(user, socket.id, dto);
  }

  @SubscribeMessage('live:join')
  join(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() dto: JoinStreamDto,
  ): Promise<LiveSnapshotPayload> {
    return this.watching.join(user, socket.id, dto);
  }

  @SubscribeMessage('live:leave')
  leave(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { streamId }: StreamDto,
  ): Promise<LivePlacePayload> {
    return this.watching.leave(user, socket.id, streamId);
  }

  @SubscribeMessage('live:token')
  token(
    @CurrentUser() user: Identity,
    @ConnectedSocket() socket: RealtimeSocket,
    @MessageBody() { streamId }: StreamDto,
  ): Promise<LiveTokenPayload> {
    return this.watching.token(user, socket.id, streamId);
  }

  @SubscribeMessage('live:heartbeat')
  heartbeat(
    @CurrentUser() user: Identity,
    @MessageBody() { streamId }: StreamDto,
  ): Promise<LivePlacePayload> {
    return this.broadcasts.heartbeat(user, streamId);
  }

  @SubscribeMessage('live:end')
  end(@CurrentUser() user: Identity, @MessageBody() { streamId }: StreamDto): Promise<LiveSummaryPayload> {
    return this.broadcasts.end(user, streamId);
  }

  @SubscribeMessage('live:active')
  active(@MessageBody() dto: ActiveStreamsDto): Promise<LiveActivePayload> {
    return this.lists.active(dto);
  }
}
