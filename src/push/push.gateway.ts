import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { Identity } from '../contract/identity.js';
import type { PushDevicePayload } from '../contract/push.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import { PushDeviceService } from './push-device.service.js';
import { RegisterDeviceDto, UnregisterDeviceDto } from './push.dto.js';

@RealtimeGateway()
export class PushGateway {
  constructor(private readonly devices: PushDeviceService) {}

  @SubscribeMessage('push:register')
  register(@CurrentUser() user: Identity, @MessageBody() dto: RegisterDeviceDto): Promise<PushDevicePayload> {
    return this.devices.register(user, dto);
  }

  @SubscribeMessage('push:unregister')
  unregister(
    @CurrentUser() user: Identity,
    @MessageBody() { token }: UnregisterDeviceDto,
  ): Promise<PushDevicePayload> {
    return this.devices.unregister(user, token);
  }
}
