import { startApp, type TestApp } from '../../support/app.js';
import { asMember, MISSING_ROOM, newGroup, openRoom, roomHistory, say } from '../../support/chat-room.js';
import { connectAll, type TestClient } from '../../support/client.js';
import { handledEventsOf } from '../../support/handled-events.js';
import type { Person } from '../../support/token.js';

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});

/** Every event that is about a room, with whatever else it may need. */
function eventsOfRooms(target: Person): { event: string; fields: object }[] {
  const all = { message: 'hello', upToSeq: 1, title: 'mine', muted: true, ...asMember(target) };
  return handledEventsOf(server)
    .filter(({ name, fields }) => name.startsWith('chat:') && fields.includes('conversationId'))
    .map(({ name, fields }) => ({
      event: name,
      fields: Object.fromEntries(Object.entries(all).filter(([field]) => fields.includes(field))),
    }));
}

/** Everything that comes back for an event, with and without an acknowledgement callback, as text; but for the id that was asked about. */
async function answersTo(client: TestClient, event: string, payload: { conversationId: string }) {
  const before = client.received.length;
  const ack = await client.send(event, payload);
  const told = client.all('error').length;
  client.tell(event, payload);
  if (ack.ok) await client.ask('get_stats', {});
  else await client.waitForCount('error', told + 1);
  const received = client.received.slice(before).map(({ event: name, args }) => [name, args]);
  return JSON.stringify([ack, received]).replaceAll(payload.conversationId, 'ID');
}

describe('outsiders', () => {
  it.each(['mallory', 'asha, who was removed'])(
    'such as %s cannot tell a room from none, by any event',
    async (who) => {
      const { ravi, asha, bela, mallory } = newGroup();
      const [r, a, m] = await connectAll(server.url, ravi, asha, mallory);
      const conversationId = await openRoom(r, [asha, bela]);
      await say(r, conversationId);
      await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
      await a.waitFor('chat:removed');
      const client = who === 'mallory' ? m : a;
      const events = eventsOfRooms(bela);
      expect(events.length).toBeGreaterThan(10);
      for (const { event, fields } of events) {
        const existing = await answersTo(client, event, { ...fields, conversationId });
        const missing = await answersTo(client, event, { ...fields, conversationId: MISSING_ROOM });
        expect([event, existing]).toEqual([event, missing]);
        if (event !== 'chat:leave') expect(existing).toContain('"NOT_FOUND"');
      }
      // Nothing came of it.
      expect(await r.ask('chat:members', { conversationId })).toMatchObject({ total: 2 });
      expect(await roomHistory(r, conversationId)).toHaveLength(3);
    },
  );
});
