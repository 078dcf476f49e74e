import type { ChatMessagePayload } from '../../../src/contract/chat.js';
import { startApp, type TestApp } from '../../support/app.js';
import {
  asMember,
  newGroup,
  openRoom,
  roomBarrier,
  roomHistory,
  saidTo,
  say,
} from '../../support/chat-room.js';
import { connectAll, connectAs } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { astrologer } from '../../support/token.js';
import { until } from '../../support/until.js';

/** Reaches its database through a proxy. */
let node: TestApp;
/** Another node on the same database; they do not know of each other. */
let other: TestApp;
let proxy: DatabaseProxy;

beforeAll(async () => {
  other = await startApp();
  proxy = await DatabaseProxy.start(other.mongoUri);
  node = await startApp({ MONGODB_URI: proxy.uri });
});

const insert = (text: string) => command('insert', 'chatmessages', text);

/** ravi is on the other node, asha and bela on this one. */
async function meet() {
  const people = newGroup();
  const r = await connectAs(other.url, people.ravi);
  const [a, b] = await connectAll(node.url, people.asha, people.bela);
  const members = [people.asha, people.bela];
  const [conversationId, second] = [await openRoom(r, members), await openRoom(r, members)];
  return { ...people, r, a, b, conversationId, second };
}

it('who is removed while a message is on its way to the database does not get it', async () => {
  const { asha, r, a, b, conversationId, second } = await meet();
  await say(b, conversationId, 'before');
  const held = proxy.hold(insert('on its way'));
  const saying = say(b, conversationId, 'on its way');
  const release = await held;
  // The sender has been let in, and asha was a member then.
  await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
  release();
  const { seq } = await saying;
  await b.waitFor('chat:message', ({ message }) => message === 'on its way');
  await roomBarrier(b, second, a);
  expect(saidTo(a)).toEqual(['before', 'barrier']);
  const said = await roomHistory(r, conversationId);
  expect(said.find(({ system }) => system?.event === 'removed')?.seq).toBe(seq - 1);
});

it('a message is told when it is known again who is a member', async () => {
  const { a, b, conversationId } = await meet();
  await say(b, conversationId, 'before');
  const held = proxy.hold(insert('not to be told yet'));
  const saying = say(b, conversationId, 'not to be told yet');
  const release = await held;
  const cut = proxy.plan('cut', command('find', 'chatrooms', conversationId));
  release();
  await cut;
  expect(await saying).toMatchObject({ seq: 3 });
  for (const client of [a, b])
    await client.waitFor('chat:message', ({ message }) => message === 'not to be told yet');
  await roomBarrier(b, conversationId, a, b);
  for (const client of [a, b]) expect(saidTo(client)).toEqual(['before', 'not to be told yet', 'barrier']);
});

it('a message whose answer is lost is told once, retried or not', async () => {
  const { a, b, conversationId } = await meet();
  await say(b, conversationId, 'before');
  const payload = { conversationId, message: 'in doubt', clientMessageId: 'doubtful' };
  void proxy.plan('lose-reply', insert('in doubt'));
  expect(await b.send('chat:message', payload)).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
  let stored: ChatMessagePayload | undefined;
  await until(async () => {
    const ack = await b.send<ChatMessagePayload>('chat:message', payload);
    if (ack.ok) stored = ack.data;
    return ack.ok;
  });
  await roomBarrier(b, conversationId, a, b);
  for (const client of [a, b]) expect(saidTo(client)).toEqual(['before', 'in doubt', 'barrier']);
  expect(stored).toMatchObject({ seq: 3 });
});

it.each([
  ['chat:history', ({ conversationId }: { conversationId: string }) => ({ conversationId })],
  ['chat:rooms', () => ({})],
])('who is removed while %s is on its way reads nothing that was said after it', async (event, payloadOf) => {
  const { asha, r, a, conversationId } = await meet();
  // What this node has not noted yet would be written first.
  await a.ask('chat:rooms', {});
  const held = proxy.hold(command('find', 'chatmessages', conversationId));
  const asking = a.send(event, payloadOf({ conversationId }));
  const release = await held;
  await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
  await say(r, conversationId, 'without asha');
  release();
  expect(JSON.stringify(await asking)).not.toContain('without asha');
  expect(JSON.stringify(a.received)).not.toContain('without asha');
});

it('who was removed is told so once, also when the one who did it got no answer', async () => {
  const { asha, bela, a, b } = await meet();
  const owner = await connectAs(node.url, astrologer(`owner-of-${asha.id}`));
  const conversationId = await openRoom(owner, [asha, bela]);
  void proxy.plan('lose-reply', command('findAndModify', 'chatrooms', conversationId));
  const removal = { conversationId, ...asMember(asha) };
  const ack = await owner.send('chat:remove_member', removal);
  expect(ack).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
  await until(async () => (await owner.send('chat:remove_member', removal)).ok);
  await a.waitFor('chat:removed');
  await owner.ask('chat:remove_member', removal);
  await roomBarrier(owner, await openRoom(owner, [asha, bela]), a, b);
  expect(a.all('chat:removed')).toHaveLength(1);
  expect(b.all('chat:message').filter(({ system }) => system?.event === 'removed')).toHaveLength(1);
});
