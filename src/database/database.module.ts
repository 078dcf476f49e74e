import { setTimeout } from 'node:timers/promises';
import { Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConnection, MongooseModule } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { EmbeddedDatabase } from './embedded-database.js';
import { EmbeddedDatabaseModule } from './embedded-database.module.js';
import { failCommandsOnEndedConnections } from './driver-repair.js';
import { connectionOptions } from './connection-options.js';

/** A database that hangs must not hold up the shutdown. */
const CLOSE_TIMEOUT_MS = 1000;

/** The Mongoose connection, to the configured MongoDB or to the embedded server that stands in for it in development. */
@Module({
  imports: [
    EmbeddedDatabaseModule,
    MongooseModule.forRootAsync({
      imports: [EmbeddedDatabaseModule],
      inject: [EmbeddedDatabase],
      useFactory: async (embedded: EmbeddedDatabase) => {
        failCommandsOnEndedConnections();
        return connectionOptions(await embedded.start());
      },
    }),
  ],
})
export class DatabaseModule implements OnApplicationShutdown {
  private readonly logger = new Logger(DatabaseModule.name);

  constructor(
    @InjectConnection() private readonly connection: Connection,
    private readonly embedded: EmbeddedDatabase,
  ) {}

  /** In this hook because sockets still work during the earlier ones; the server goes after its last connection. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.race([this.connection.close(), setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    await this.embedded.close();
    this.logger.debug('The database is closed.');
  }
}
