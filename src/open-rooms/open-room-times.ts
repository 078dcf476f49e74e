import { Injectable } from '@nestjs/common';

/** Milliseconds. Tests put others in their place. */
@Injectable()
export class OpenRoomTimes {
  /** Whoever is back within this time finds their rooms open; what is kept of them is gone after it. */
  readonly returnMs: number = 60_000;
  /** After the database failed, what is still to be read and written is tried again this much later. */
  readonly retryMs: number = 2000;
}
