import { join } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import type { EmbeddedMongo } from '@samvad/embedded-mongo';
import { AppConfig } from '../config/config.js';

/** Starts the embedded server when no MongoDB is configured; in production one always is. */
@Injectable()
export class EmbeddedDatabase {
  private readonly logger = new Logger(EmbeddedDatabase.name);
  private server: EmbeddedMongo | undefined;

  constructor(private readonly config: AppConfig) {}

  /** The URI to connect to; starts the embedded server if none is configured. To be called once. */
  async start(): Promise<string> {
    if (this.config.database.uri !== undefined) return this.config.database.uri;
    // Loaded only now: the production image does not contain the package.
    const { startEmbeddedMongo } = await import('@samvad/embedded-mongo');
    this.server = await startEmbeddedMongo({ dir: join(this.config.database.dataDir, 'mongo') });
    this.logger.log(`Embedded database (for development): data in ${this.server.dir}`);
    return this.server.uri;
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}
