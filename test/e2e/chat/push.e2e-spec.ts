import type { ChatMessagePayload } from '../../../src/contract/chat.js';
import { collectionOf, type TestApp } from '../../support/app.js';
import { asMember, newGroup, openRoom, say } from '../../support/chat-room.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { answers, type FcmServer } from '../../support/fcm-server.js';
import { isOnline } from '../../support/presence.js';
import { startWithFcm, withDevice } from '../../support/push.js';
import { recordQueries } from '../../support/query-plans.js';
import { type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

let fcm: FcmServer;
let node: TestApp;

beforeAll(async () => {
  ({ fcm, node } = await startWithFcm());
});

async function away(watcher: TestClient, person: Person, token: string): Promise<void> {
  const client = await withDevice(node.url, person, token);
  client.close();
  await until(async () => (await isOnline(watcher, person)) === false);
}

const pushedTo = (token: string) => fcm.to(token).map(({ message }) => message.data.messageId);

describe('chat:message to members who are away', () => {
  it('causes one push for each of their devices, and none for those who are here, have muted, or were removed', async () => {
    const { ravi, asha, bela, mallory } = newGroup();
    const r = await withDevice(node.url, ravi, 'of-ravi');
    const conversationId = await openRoom(r, [asha, bela, mallory]);
    const b = await connectAs(node.url, bela);
    await b.ask('chat:mute', { conversationId, muted: true });
    b.close();
    for (const [person, token] of [
      [asha, 'of-asha'],
      [bela, 'of-bela'],
      [mallory, 'of-mallory'],
    ] as const)
      await away(r, person, token);
    await r.ask('chat:remove_member', { conversationId, ...asMember(mallory) });
    const sent = await say(r, conversationId, 'n'.repeat(150), { clientMessageId: 'once' });
    await say(r, conversationId, 'n'.repeat(150), { clientMessageId: 'once' });
    expect((await fcm.waitFor('of-asha')).message.data).toEqual({
      type: 'message',
      conversationId,
      messageId: sent.id,
      senderId: ravi.id,
      senderName: `Name of ${ravi.id}`,
      senderType: 'astrologer',
      senderAvatar: '',
      content: 'n'.repeat(100),
      messageType: 'text',
    });
    // What was to come before these has come: system messages push nobody.
    const back = await connectAs(node.url, bela);
    await back.ask('chat:mute', { conversationId, muted: false });
    back.close();
    await until(async () => (await isOnline(r, bela)) === false);
    const last: ChatMessagePayload = await say(r, conversationId, 'last');
    await fcm.waitFor('of-asha', 2);
    await fcm.waitFor('of-bela', 1);
    expect(pushedTo('of-asha')).toEqual([sent.id, last.id]);
    expect(pushedTo('of-bela')).toEqual([last.id]);
    expect([...pushedTo('of-mallory'), ...pushedTo('of-ravi')]).toEqual([]);
  });

  it('asks the database once for the devices of all', async () => {
    const { ravi, asha } = newGroup();
    const r = await connectAs(node.url, ravi);
    await away(r, asha, 'of-the-one');
    const crowd = Array.from({ length: 100 }, (_, i) => user(`absent${i}`));
    const conversationId = await openRoom(r, [asha, ...crowd]);
    const queries = recordQueries(node);
    const sent = await say(r, conversationId);
    await fcm.waitFor('of-the-one');
    expect(pushedTo('of-the-one')).toEqual([sent.id]);
    const asked = queries.filter(({ collection }) => collection === 'pushdevices');
    expect(asked.map(({ method }) => method)).toEqual(['find']);
  });

  it('is not tried again for who was removed, or has muted the room, since', async () => {
    const { ravi, asha, bela, mallory } = newGroup();
    const r = await connectAs(node.url, ravi);
    const conversationId = await openRoom(r, [asha, bela, mallory]);
    for (const [person, token, seconds] of [
      [asha, 'removed-since', 4],
      [bela, 'muted-since', 4],
      [mallory, 'member-still', 6],
    ] as const) {
      await away(r, person, token);
      fcm.plan(token, answers.quota(seconds), answers.success);
    }
    await say(r, conversationId, 'before they were removed');
    await until(async () => (await collectionOf(node, 'pushretries').countDocuments({})) === 3);
    await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
    const b = await connectAs(node.url, bela);
    await b.ask('chat:mute', { conversationId, muted: true });
    b.close();
    // It was to come after theirs.
    await fcm.waitFor('member-still', 2);
    await until(async () => (await collectionOf(node, 'pushretries').countDocuments({})) === 0);
    expect([pushedTo('removed-since').length, pushedTo('muted-since').length]).toEqual([1, 1]);
  });
});
