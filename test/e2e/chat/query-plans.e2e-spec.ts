import { startApp, type TestApp } from '../../support/app.js';
import { asMember, asParties, openRoom, say } from '../../support/chat-room.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { withPresenceTimes } from '../../support/presence.js';
import { findingOf, findingsOf, isWasteful, type Query, recordQueries } from '../../support/query-plans.js';
import { astrologer, user } from '../../support/token.js';

const MESSAGES = 300;
const ROOMS = 25;

let node: TestApp;
let queries: Query[];

beforeAll(async () => {
  node = await startApp({}, [], [withPresenceTimes({ offlineDelayMs: 50 })]);
  queries = recordQueries(node);
});

/** Every event of chat rooms, in a long one where one member has said nothing yet, by people who are in others besides. */
async function useEverything(): Promise<void> {
  const [r, a, silent] = [
    await connectAs(node.url, astrologer('ravi')),
    await connectAs(node.url, user('asha')),
    await connectAs(node.url, user('silent')),
  ] as [TestClient, TestClient, TestClient];
  const members = [user('asha'), user('silent')];
  const conversationId = await openRoom(r, members);
  for (let sent = 0; sent < MESSAGES; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => say(a, conversationId)));
  for (let room = 0; room < ROOMS; room += 1) await say(a, await openRoom(r, members));
  queries.length = 0;

  await r.ask('chat:create', { members: asParties(members), clientRoomId: 'twice' });
  await r.ask('chat:create', { members: asParties(members), clientRoomId: 'twice' });
  await say(a, conversationId, 'once', { clientMessageId: 'c1' });
  await say(a, conversationId, 'once', { clientMessageId: 'c1' });
  await a.ask('chat:join', { conversationId });
  await r.ask('chat:typing', { conversationId });
  await r.ask('chat:stop_typing', { conversationId });
  for (const window of [{}, { page: 3 }, { beforeSeq: 200 }, { afterSeq: 200 }])
    await a.ask('chat:history', { conversationId, limit: 50, ...window });
  for (const client of [silent, r, a]) {
    await client.ask('chat:rooms', { limit: 5 });
    await client.ask('chat:read', { conversationId, upToSeq: 200 });
    await client.ask('chat:read', { conversationId, upToSeq: 200 });
    const { rooms } = await client.ask<{ rooms: { updatedAt: string }[] }>('chat:rooms', {});
    await client.ask('chat:rooms', { updatedAfter: rooms[0]?.updatedAt });
  }
  await a.ask('chat:members', { conversationId });
  await r.ask('chat:add_member', { conversationId, ...asMember(user('bela')) });
  await r.ask('chat:remove_member', { conversationId, ...asMember(user('bela')) });
  await r.ask('chat:rename', { conversationId, title: 'long' });
  await silent.ask('chat:mute', { conversationId, muted: true });
  await silent.ask('chat:leave_room', { conversationId });
  await a.ask('chat:leave', { conversationId });
  silent.close();
  await r.waitFor('chat:offline', ({ userId }) => userId === 'silent');
}

describe('queries of chat rooms', () => {
  it('run on an index, and read no more than they return, in a long room too', async () => {
    await useEverything();
    const faults: unknown[] = [];
    const seen = new Set<string>();
    for (const query of queries.splice(0)) {
      if (!query.collection.startsWith('chat')) continue;
      for (const { command, finding } of await findingsOf(node, query)) {
        seen.add(`${query.collection}.${query.method}`);
        const isScan = finding.stages.includes('COLLSCAN') || finding.stages.includes('SORT');
        if (isScan || isWasteful(finding)) faults.push({ command, finding });
      }
    }
    expect(faults).toEqual([]);
    expect([...seen].toSorted()).toEqual(
      expect.arrayContaining([
        'chatmarks.find',
        'chatmarks.findOneAndUpdate',
        'chatmessages.find',
        'chatmessages.findOne',
        'chatrooms.bulkWrite',
        'chatrooms.find',
        'chatrooms.findOne',
        'chatrooms.findOneAndUpdate',
        'chatrooms.updateOne',
      ]),
    );
  });

  it('would be found out if they did not', async () => {
    const { stages } = await findingOf(node, { find: 'chatmessages', filter: { content: 'text' } });
    expect(stages).toContain('COLLSCAN');
  });
});
