import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import type { TestApp } from '../app.js';
import type { TestClient } from '../client.js';
import { mallory } from './things.js';

/** What nodes write in their own time. */
const NOT_OF_EVENTS = new Set(['nodes', 'presence', 'openrooms']);
const IN_THEIR_OWN_TIME =
  /Due$|^(updatedAt|lastHeartbeat|viewerCount|peakViewerCount|totalViews|leaseUntil)$/;

/** Everything that is stored and does not name the outsider, as one text. */
export async function storedOfOthers({ app }: Pick<TestApp, 'app'>): Promise<string> {
  const { db } = app.get<Connection>(getConnectionToken());
  if (db === undefined) throw new Error('there is no database');
  const names = (await db.listCollections().toArray()).map(({ name }) => name).toSorted();
  const texts: string[] = [];
  for (const name of names) {
    if (NOT_OF_EVENTS.has(name)) continue;
    const documents = await db.collection(name).find().sort({ _id: 1 }).toArray();
    for (const document of documents) {
      const text = JSON.stringify(document, (key, value: unknown) =>
        IN_THEIR_OWN_TIME.test(key) ? undefined : value,
      );
      if (!isOf(name, document, text)) texts.push(`${name} ${text}`);
    }
  }
  return texts.join('\n');
}

/** A stream is its broadcaster's, whomever it bans. */
function isOf(collection: string, document: object, text: string): boolean {
  return !('astrologerId' in document && collection.includes('stream')) && text.includes(mallory.id);
}

/** Counts how often each request of the client is acknowledged: Socket.IO's own client would pass over a second time. */
export function countAcks({ socket }: TestClient): Map<number, number> {
  const counts = new Map<number, number>();
  const hooked = socket as unknown as { onack: (packet: { id: number }) => void };
  const onack = hooked.onack.bind(socket);
  hooked.onack = (packet) => {
    counts.set(packet.id, (counts.get(packet.id) ?? 0) + 1);
    onack(packet);
  };
  return counts;
}
