import { Module } from '@nestjs/common';
import { TypingTimes } from './typing-times.js';

@Module({ providers: [TypingTimes], exports: [TypingTimes] })
export class TypingModule {}
