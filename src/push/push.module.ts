import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { DatabaseModule } from '../database/database.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { DeletedMessages } from './deleted-messages.js';
import { FcmSender } from './fcm-sender.js';
import { PushCancelRepository } from './push-cancel.repository.js';
import { PushCancel, PushCancelSchema } from './push-cancel.schema.js';
import { PushDeliveryService } from './push-delivery.service.js';
import { PushDeviceRepository } from './push-device.repository.js';
import { PushDevice, PushDeviceSchema } from './push-device.schema.js';
import { PushDeviceService } from './push-device.service.js';
import { PushGateway } from './push.gateway.js';
import { PushRetryRepository } from './push-retry.repository.js';
import { PushRetry, PushRetrySchema } from './push-retry.schema.js';
import { PushRetryService } from './push-retry.service.js';
import { PushService } from './push.service.js';
import { RingCancels } from './ring-cancels.js';

@Module({
  imports: [
    RealtimeModule,
    // The import of the database makes it close after this module.
    DatabaseModule,
    MongooseModule.forFeature([
      { name: PushDevice.name, schema: PushDeviceSchema },
      { name: PushRetry.name, schema: PushRetrySchema },
      { name: PushCancel.name, schema: PushCancelSchema },
    ]),
  ],
  providers: [
    PushGateway,
    PushService,
    PushDeliveryService,
    PushDeviceService,
    PushRetryService,
    RingCancels,
    DeletedMessages,
    FcmSender,
    PushDeviceRepository,
    PushRetryRepository,
    PushCancelRepository,
  ],
  exports: [PushService],
})
export class PushModule {}
