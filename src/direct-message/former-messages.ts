import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DirectMessageRepository } from './direct-message.repository.js';

/** Says at start when there are messages that nobody sees because they were never migrated: two reads of a hundred documents each. */
@Injectable()
export class FormerMessages implements OnApplicationBootstrap {
  private readonly logger = new Logger(FormerMessages.name);

  constructor(private readonly messages: DirectMessageRepository) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      if (await this.messages.hasUnnumberedAtEnds()) this.logger.warn(WARNING);
    } catch {
      // Without the database the start has failed already, or requests will say so: a hint is not worth it.
    }
  }
}

const WARNING =
  'There are direct messages of the former backend that are not migrated: nobody sees them. ' +
  '`npm run migrate` says what there is to do (README, "Coming from the former backend").';
