import { Injectable } from '@nestjs/common';

/** Milliseconds. Tests put others in their place. */
@Injectable()
export class OpenRoomTimes {
  /** Whoever is back within this time finds their rooms open; what is kept of them is gone after it. */
  readonly returnMs: number = 60_000;
  /** After an arrival: when it is looked whether another socket of the person, which seemed open, was dead by then. */
  readonly lookAgainMs: readonly number[] = [1000, 6000, 15_000, 30_000, 50_000];
  readonly retryMs: number = 2000;
}
