import { Injectable } from '@nestjs/common';

/** Milliseconds; not configurable, because all nodes must agree. Tests put shorter ones in its place. */
@Injectable()
export class NodeTimes {
  /** A node says this often that it lives. */
  readonly beatIntervalMs: number = 5000;
  /** A node that is silent for longer is lost. */
  readonly silenceMs: number = 20_000;
}
