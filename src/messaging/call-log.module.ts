import { Module } from '@nestjs/common';
import { CallLogs } from './call-logs.js';

@Module({ providers: [CallLogs], exports: [CallLogs] })
export class CallLogModule {}
