import { randomUUID } from 'node:crypto';
import type { Person } from './person.js';
import { remark, title } from './print.js';

/** A phone that gets pushes; taken back at once, since there is no such phone. */
export async function demoDevices(ravi: Person, isOwnServer: boolean): Promise<void> {
  title('A phone for pushes');
  const token = `demo-${randomUUID()}`;
  await ravi.say('push:register', { token, platform: 'android' });
  remark(
    isOwnServer
      ? 'Firebase is not configured on this server (FIREBASE_SERVICE_ACCOUNT): pushes would be logged at debug level and dropped'
      : 'the answer is the same whether or not Firebase is configured on that server',
  );
  await ravi.say('push:unregister', { token });
}
