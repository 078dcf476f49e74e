import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentUser } from '../auth/current-user.decorator.js';
import type { ReportReceiptPayload } from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { RealtimeGateway } from '../realtime/realtime-gateway.decorator.js';
import { ReportDto } from './report.dto.js';
import { ReportService } from './report.service.js';

@RealtimeGateway()
export class ReportGateway {
  constructor(private readonly service: ReportService) {}

  @SubscribeMessage('dm:report')
  report(@CurrentUser() user: Identity, @MessageBody() dto: ReportDto): Promise<ReportReceiptPayload> {
    return this.service.report(user, dto);
  }
}
