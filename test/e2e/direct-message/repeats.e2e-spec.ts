import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { command, DatabaseProxy, type SeenCommand } from '../../support/database-proxy.js';
import { sendTo } from '../../support/direct-chat.js';
import { until } from '../../support/until.js';
import { astrologer, user } from '../../support/token.js';

/** As many as an app may keep while it is offline, and sends again at once when it is back. */
const OUTBOX = 150;
const PART = 25;

let proxy: DatabaseProxy;
let url: string;

beforeAll(async () => {
  const { mongoUri } = await startApp();
  proxy = await DatabaseProxy.start(mongoUri);
  ({ url } = await startApp({ MONGODB_URI: proxy.uri }));
});

type Recipient = (index: number) => string;

const sent = (client: TestClient, to: Recipient, begin = 0, end = OUTBOX): Promise<DirectMessagePayload[]> =>
  Promise.all(
    Array.from({ length: end - begin }, (_, i) => begin + i).map((i) =>
      sendTo(client, astrologer(to(i)), { content: `text ${i}`, clientMessageId: `id ${i}` }),
    ),
  );

/** A part at a time: so many conversations at once take long to begin. */
async function sentInParts(client: TestClient, to: Recipient): Promise<DirectMessagePayload[]> {
  const messages: DirectMessagePayload[] = [];
  for (let i = 0; i < OUTBOX; i += PART)
    messages.push(...(await sent(client, to, i, Math.min(i + PART, OUTBOX))));
  return messages;
}

const onMessages = (seen: SeenCommand): boolean => seen.collection === 'directmessages';

describe('an outbox that is sent again', () => {
  it.each([
    ['of one conversation', 'one', () => 'guru-one'],
    ['of as many conversations as messages', 'many', (i: number) => `guru-many-${i}`],
  ])('%s costs a few commands, and so does a new message of somebody else amid it', async (_, id, to) => {
    const [a, b] = [await connectAs(url, user(`asha-${id}`)), await connectAs(url, user(`bela-${id}`))];
    const first = await sentInParts(a, to);
    await sendTo(b, astrologer(`guru-${id}`));

    const before = proxy.commands.length;
    const again = sent(a, to);
    // Amid them: the first repeats are on their way.
    await until(() => proxy.commands.slice(before).some(onMessages));
    const innocent = await sendTo(b, astrologer(`guru-${id}`), { content: 'new' });
    const atInnocent = proxy.commands.slice(before).filter(onMessages).length;
    expect((await again).map((message) => message.id)).toEqual(first.map((message) => message.id));
    expect(innocent).toMatchObject({ seq: 2, content: 'new' });
    // A command for each repeat would be 150, and more.
    expect(atInnocent).toBeLessThan(20);
    expect(proxy.commands.slice(before).filter(onMessages).length).toBeLessThan(20);
    expect(a.all('dm:message_received')).toHaveLength(OUTBOX);
  });

  it('among which new messages stand stores just these, in their order', async () => {
    const a = await connectAs(url, user('asha-mixed'));
    const guru = astrologer('guru-mixed');
    const say = (i: number) => sendTo(a, guru, { content: `text ${i}`, clientMessageId: `id ${i}` });
    const even = await Promise.all(Array.from({ length: 20 }, (_, i) => say(2 * i)));
    const before = proxy.commands.length;
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => say(i)));
    expect(proxy.commands.slice(before).filter(onMessages).length).toBeLessThan(20);
    expect(all.filter((_, i) => i % 2 === 0).map(({ id }) => id)).toEqual(even.map(({ id }) => id));
    expect(all.filter((_, i) => i % 2 === 1).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 20 }, (_, i) => 21 + i),
    );
  });
});

describe('a message in a conversation that the node knows', () => {
  it('waits for one insert before its ack, and its conversation is noted after it', async () => {
    const [a, r] = [await connectAs(url, user('asha-known')), await connectAs(url, astrologer('ravi-known'))];
    await sendTo(a, astrologer('ravi-known'));
    await sendTo(r, user('asha-known'));
    // What was noted of the former messages is not counted.
    await a.ask('dm:conversations', {});

    const ours = ({ bytes }: SeenCommand): boolean => bytes.includes('user_asha-known_ravi-known');
    const noted = command('update', 'directconversations', 'user_asha-known_ravi-known');
    for (const [client, recipient] of [
      [a, astrologer('ravi-known')],
      [r, user('asha-known')],
    ] as const) {
      const before = proxy.commands.length;
      const kept = proxy.hold(noted);
      await sendTo(client, recipient, { content: 'counted' });
      // The note is kept back by the proxy: had the ack waited for it, it would not be here.
      const write = await kept;
      const seen = proxy.commands.slice(before).filter(ours);
      expect(seen.map(({ name, collection }) => `${name} ${collection}`)).toEqual([
        'insert directmessages',
        'update directconversations',
      ]);
      write();
      await client.ask('dm:conversations', {});
    }
  });
});

describe('a blocked one who types', () => {
  it('does not cost a look-up for every key', async () => {
    const [a, r] = [await connectAs(url, user('asha-types')), await connectAs(url, astrologer('ravi-types'))];
    const { conversationId } = await sendTo(a, astrologer('ravi-types'));
    await r.ask('dm:join_conversation', { conversationId });
    await r.ask('dm:block', { userId: 'asha-types', userType: 'user' });
    const before = proxy.commands.length;
    await Promise.all(Array.from({ length: 200 }, () => a.ask('dm:typing_start', { conversationId })));
    const pair = proxy.commands.slice(before).filter(({ bytes }) => bytes.includes('asha-types'));
    expect(pair.length).toBeLessThan(5);
    await sendTo(r, user('asha-types'));
    await r.waitFor('dm:message_received', ({ senderId }) => senderId === 'ravi-types');
    expect(r.all('dm:typing_start')).toEqual([]);
  });
});
