import type { Party } from '../../src/contract/identity.js';
import type { PresenceListPayload } from '../../src/contract/presence.js';
import { NodeTimes } from '../../src/nodes/node-times.js';
import { PresenceTimes } from '../../src/presence/presence-times.js';
import type { Replacement } from './app.js';
import type { TestClient } from './client.js';

export const withPresenceTimes = (times: Partial<PresenceTimes>): Replacement => ({
  provide: PresenceTimes,
  useValue: Object.assign(new PresenceTimes(), times),
});

export const withNodeTimes = (times: Partial<NodeTimes>): Replacement => ({
  provide: NodeTimes,
  useValue: Object.assign(new NodeTimes(), times),
});

/** Whether this party is online, as a client is told that asks for it. */
export async function isOnline(client: TestClient, { id, type }: Party): Promise<boolean | undefined> {
  const { users } = await client.ask<PresenceListPayload>('presence:get', { users: [{ id, type }] });
  return users[0]?.isOnline;
}
