import type { Ack } from '../../../src/contract/ack.js';
import type { Call } from '../../../src/call/call.schema.js';
import type { Payload, StormDevice } from './storm-device.js';
import type { StoredLog } from './stored-log.js';

/** What there is to say after a storm. */
export interface Outcome {
  calls: Call[];
  logs: StoredLog[];
  devices: StormDevice[];
  /** What was seen to be wrong while it lasted. */
  faults: string[];
  restarts: number;
  /** What each device was told when it asked for its open call at the end. */
  openAtTheEnd: (Ack<Payload> | undefined)[];
}
