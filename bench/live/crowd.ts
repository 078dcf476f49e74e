import { LightClient } from '../support/light-client.js';
import type { CrowdOrder } from './load-orders.js';

/** Connects people and lets them join a stream, so many at a time. Resolves when all have joined. */
export async function joinAll({ url, streamId, auths, atOnce }: CrowdOrder): Promise<LightClient[]> {
  const joined: LightClient[] = [];
  const waiting = auths.values();
  const joinNext = async (): Promise<void> => {
    for (const auth of waiting) {
      const client = await LightClient.greeted(url, auth);
      await client.ask('live:join', { streamId });
      joined.push(client);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, joinNext));
  return joined;
}
