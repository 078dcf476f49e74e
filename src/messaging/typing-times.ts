import { Injectable } from '@nestjs/common';

/** Milliseconds. A provider, so that a test need not wait as long as people do. */
@Injectable()
export class TypingTimes {
  /** Typing stops by itself so long after the last start. */
  lapseMs = 6000;
  /** While typing goes on, the others are told of it at most so often. */
  repeatMs = 3000;
}
