import { Module } from '@nestjs/common';
import { EmbeddedDatabase } from './embedded-database.js';

@Module({ providers: [EmbeddedDatabase], exports: [EmbeddedDatabase] })
export class EmbeddedDatabaseModule {}
