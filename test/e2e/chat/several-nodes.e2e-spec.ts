import type { ChatRoomsPayload } from '../../../src/contract/chat.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  asMember,
  newGroup,
  openRoom,
  roomBarrier,
  roomHistory,
  type RoomPeople,
  saidTo,
  say,
} from '../../support/chat-room.js';
import { connectAll, connectAs } from '../../support/client.js';
import { type Line, lineTo } from '../../support/cut-off.js';
import { refusal } from '../../support/direct-chat.js';
import { startRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';

let one: TestApp;
let two: TestApp;
let line: Line;

beforeAll(async () => {
  const redis = await startRedis();
  line = await lineTo(redis.port);
  one = await startApp({ REDIS_URL: redis.url });
  two = await startApp({ REDIS_URL: `redis://127.0.0.1:${line.port}`, MONGODB_URI: one.mongoUri });
});

/** ravi on the first node; asha and bela on the second one. */
async function meet(people: RoomPeople) {
  const { ravi, asha, bela } = people;
  const r = await connectAs(one.url, ravi);
  const [a, b] = await connectAll(two.url, asha, bela);
  const conversationId = await openRoom(r, [asha, bela]);
  return { r, a, b, conversationId };
}

it('a message reaches every socket on both nodes once', async () => {
  const people = newGroup();
  const { r, a, b, conversationId } = await meet(people);
  const a1 = await connectAs(one.url, people.asha);
  for (let i = 0; i < 10; i += 1) await say(i % 2 === 0 ? r : b, conversationId, `m${i}`);
  await roomBarrier(r, conversationId, r, a, b, a1);
  await roomBarrier(b, conversationId, r, a, b, a1);
  const wanted = [...Array.from({ length: 10 }, (_, i) => `m${i}`), 'barrier', 'barrier'].toSorted();
  for (const client of [r, a, b, a1]) expect(saidTo(client).toSorted()).toEqual(wanted);
});

it('both nodes number the messages of a room without gap or duplicate', async () => {
  const { r, a, conversationId } = await meet(newGroup());
  await Promise.all(
    [r, a].map((client) =>
      Promise.all(Array.from({ length: 40 }, (_, i) => say(client, conversationId, `${i}`))),
    ),
  );
  const stored = await roomHistory(r, conversationId, { afterSeq: 0, limit: 100 });
  expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 81 }, (_, i) => i + 1));
});

it('a member removed on one node gets nothing more on the other, from that instant', async () => {
  const people = newGroup();
  const { r, a, b, conversationId } = await meet(people);
  const other = await openRoom(r, [people.asha]);
  // The second node knows the members.
  await say(b, conversationId, 'before');
  await roomBarrier(b, conversationId, a);
  await r.ask('chat:remove_member', { conversationId, ...asMember(people.asha) });
  for (let i = 0; i < 5; i += 1) await Promise.all([say(r, conversationId), say(b, conversationId)]);
  await roomBarrier(r, other, a);
  const removal = b.all('chat:message').find(({ system }) => system?.event === 'removed');
  expect(a.all('chat:message').filter(({ conversationId: id }) => id === conversationId).length).toBe(
    (removal?.seq ?? 0) - 1,
  );
  for (const event of ['chat:history', 'chat:join', 'chat:typing', 'chat:members'])
    expect((await refusal(a, event, { conversationId })).code).toBe('NOT_FOUND');
});

it('members who add and leave at both nodes at once are counted right', async () => {
  const people = newGroup();
  const { r, a, b, conversationId } = await meet(people);
  await Promise.all([
    r.ask('chat:add_member', { conversationId, ...asMember(people.mallory) }),
    a.ask('chat:leave_room', { conversationId }),
    b.ask('chat:leave_room', { conversationId }),
  ]);
  const members = await r.ask('chat:members', { conversationId });
  expect(members).toMatchObject({ total: 2 });
  const said = await roomHistory(r, conversationId);
  expect(said.map(({ seq, system }) => `${seq} ${system?.event}`).toSorted()).toHaveLength(4);
  expect(new Set(said.map(({ clientMessageId }) => clientMessageId)).size).toBe(4);
});

it('a node that is cut off from Redis tells no one who was removed elsewhere, and its own what was said there', async () => {
  const people = newGroup();
  const { r, a, b, conversationId } = await meet(people);
  await roomBarrier(b, conversationId, a, b, r);
  line.cut();
  await r.ask('chat:remove_member', { conversationId, ...asMember(people.asha) });
  await say(b, conversationId, 'while cut off');
  await b.waitFor('chat:message', ({ message }) => message === 'while cut off');
  // Another room on that node shows that nothing is on its way.
  await a.ask('chat:rooms', {});
  expect(saidTo(a)).toEqual(['barrier']);
  const { rooms } = await a.ask<ChatRoomsPayload>('chat:rooms', {});
  expect(rooms).toEqual([]);
  line.heal();
  await until(async () => {
    await say(r, conversationId, 'whole again');
    return saidTo(b).includes('whole again');
  });
  expect(saidTo(a)).toEqual(['barrier']);
});
