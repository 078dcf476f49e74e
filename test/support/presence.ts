import { NodeTimes } from '../../src/nodes/node-times.js';
import { PresenceTimes } from '../../src/presence/presence-times.js';
import type { Replacement } from './app.js';

export const withPresenceTimes = (times: Partial<PresenceTimes>): Replacement => ({
  provide: PresenceTimes,
  useValue: Object.assign(new PresenceTimes(), times),
});

export const withNodeTimes = (times: Partial<NodeTimes>): Replacement => ({
  provide: NodeTimes,
  useValue: Object.assign(new NodeTimes(), times),
});
