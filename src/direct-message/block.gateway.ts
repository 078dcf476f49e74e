import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { BlockPayload, BlocksPayload, UnblockPayload } from '../contract/block.js';
import type { Identity } from '../contract/identity.js';
import { BlockService } from '../messaging/block.service.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import { BlockDto, BlocksDto } from './block.dto.js';

const DEFAULT_BLOCKS_LIMIT = 50;

@RealtimeGateway()
export class BlockGateway {
  constructor(private readonly service: BlockService) {}

  @SubscribeMessage('dm:block')
  block(@CurrentUser() user: Identity, @MessageBody() { userId, userType }: BlockDto): Promise<BlockPayload> {
    return this.service.block(user, { id: userId, type: userType });
  }

  @SubscribeMessage('dm:unblock')
  unblock(
    @CurrentUser() user: Identity,
    @MessageBody() { userId, userType }: BlockDto,
  ): Promise<UnblockPayload> {
    return this.service.unblock(user, { id: userId, type: userType });
  }

  @SubscribeMessage('dm:blocks')
  blocks(@CurrentUser() user: Identity, @MessageBody() { limit, cursor }: BlocksDto): Promise<BlocksPayload> {
    return this.service.list(user, limit ?? DEFAULT_BLOCKS_LIMIT, cursor ?? undefined);
  }
}
