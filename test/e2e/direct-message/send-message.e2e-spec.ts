import { startApp } from '../../support/app.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { barrier, refusal } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import type { DirectHistoryPayload, DirectMessagePayload } from '../../../src/contract/direct-message.js';

let url: string;

beforeAll(async () => {
  ({ url } = await startApp());
});

const to = (person: Person, content = 'hello') => ({
  recipientId: person.id,
  recipientType: person.type,
  content,
});
const send = (client: TestClient, payload: object) =>
  client.ask<DirectMessagePayload>('dm:send_message', payload);

describe('dm:send_message', () => {
  it('reaches the recipient and the sender with every field, and is acked with the same', async () => {
    const [a, r] = [
      await connectAs(url, { ...asha, name: 'Asha', avatar: 'https://img.example/a.png' }),
      await connectAs(url, ravi),
    ];
    const acked = await send(a, {
      ...to(ravi, 'Namaste'),
      clientMessageId: 'c-1',
      userId: 'mallory',
      senderId: 'mallory',
    });
    const received = await r.waitFor('dm:message_received');
    expect(received).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      _id: received.id,
      conversationId,
      seq: 1,
      senderId: asha.id,
      senderType: 'user',
      senderName: 'Asha',
      senderAvatar: 'https://img.example/a.png',
      recipientId: ravi.id,
      recipientType: 'astrologer',
      content: 'Namaste',
      messageType: 'text',
      mediaUrl: null,
      mediaSize: null,
      mediaDuration: null,
      thumbnailUrl: null,
      replyToId: null,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      status: 'delivered',
      clientMessageId: 'c-1',
      editedAt: null,
      deletedAt: null,
      reactions: [],
      revision: 0,
    });
    expect(acked).toEqual(received);
    expect(await a.waitFor('dm:message_received')).toEqual(received);
    expect(r.received.every(({ args }) => args.length === 1)).toBe(true);
  });

  it('reaches every socket of both sides exactly once, whether or not it joined the room', async () => {
    const [a1, a2, r1, r2] = await connectAll(url, asha, asha, ravi, ravi);
    await send(a1, to(ravi, 'first'));
    for (const client of [a1, a2, r1]) await client.ask('dm:join_conversation', { conversationId });
    const { id } = await send(a1, to(ravi, 'second'));
    await send(r1, to(asha, 'third'));
    for (const client of [a1, a2, r1, r2]) {
      await client.waitForCount('dm:message_received', 3);
      expect(client.all('dm:message_received').map(({ content }) => content)).toEqual([
        'first',
        'second',
        'third',
      ]);
      expect(client.all('dm:message_received').filter((message) => message.id === id)).toHaveLength(1);
    }
  });

  it('reaches nobody else', async () => {
    const outsider = await connectAs(url, mallory);
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    await send(a, to(ravi, 'private'));
    await send(r, to(mallory, 'now you'));
    await outsider.waitFor('dm:message_received');
    expect(outsider.all('dm:message_received').map(({ content }) => content)).toEqual(['now you']);
  });

  it('an admin who opened the conversation sees its messages', async () => {
    const [a, staff] = [await connectAs(url, asha), await connectAs(url, admin('root'))];
    await send(a, to(ravi, 'before'));
    await staff.ask('dm:join_conversation', { conversationId });
    await send(a, to(ravi, 'after'));
    await staff.waitFor('dm:message_received', ({ content }) => content === 'after');
    expect(
      staff.all('dm:message_received').filter((message) => message.conversationId === conversationId),
    ).toHaveLength(1);
  });

  it('says `sent` when the recipient has no socket, and stores what it says', async () => {
    const a = await connectAs(url, asha);
    expect((await send(a, to(ravi, 'into the dark'))).status).toBe('sent');
    await connectAs(url, ravi);
    expect((await send(a, to(ravi, 'into the light'))).status).toBe('delivered');
    const { messages } = await a.ask<DirectHistoryPayload>('dm:history', { conversationId });
    expect(messages.map(({ status }) => status)).toEqual(['sent', 'delivered']);
  });

  it('all admins are one party: each of them reads and answers', async () => {
    const [root, boss, r] = await connectAll(url, admin('root'), admin('boss'), ravi);
    const asked = await send(r, { recipientId: 'admin', recipientType: 'admin', content: 'help' });
    expect(asked).toMatchObject({
      conversationId: `admin_${ravi.id}`,
      recipientId: 'admin',
      recipientType: 'admin',
    });
    await root.waitFor('dm:message_received', ({ id }) => id === asked.id);
    await boss.waitFor('dm:message_received', ({ id }) => id === asked.id);
    const answer = await send(boss, to(ravi, 'coming'));
    expect(answer).toMatchObject({
      conversationId: `admin_${ravi.id}`,
      senderId: 'admin',
      senderType: 'admin',
      seq: 2,
    });
    await root.waitFor('dm:message_received', ({ id }) => id === answer.id);
  });

  it('admin and user talk under admin_user_<id>', async () => {
    const root = await connectAs(url, admin('root'));
    expect((await send(root, to(asha))).conversationId).toBe(`admin_user_${asha.id}`);
  });

  it('keeps the order in which one socket sent, whatever the messages are', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const first = await send(a, to(ravi, '0'));
    const acks = Array.from({ length: 60 }, (_, i) => {
      const extras = [
        {},
        { mediaUrl: `https://media.example/${i}.jpg`, messageType: 'image' },
        { replyToId: first.id },
        { clientMessageId: `o${i}` },
      ];
      return send(a, { ...to(ravi, String(i + 1)), ...extras[i % extras.length] });
    });
    const messages = await Promise.all(acks);
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2));
    await r.waitForCount('dm:message_received', 61);
    expect(r.all('dm:message_received').map(({ content }) => content)).toEqual(
      Array.from({ length: 61 }, (_, i) => String(i)),
    );
  });

  it('keeps the order of the very first messages of a new conversation', async () => {
    const a = await connectAs(url, asha);
    const messages = await Promise.all(Array.from({ length: 10 }, (_, i) => send(a, to(ravi, String(i)))));
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('concurrent first messages of a pair make one conversation with both participants and seq 1..50', async () => {
    const clients = [...(await connectMany(asha, 5)), ...(await connectMany(ravi, 5))];
    const sends = Array.from({ length: 50 }, (_, i) => {
      const isUsers = i % 2 === 0;
      const client = clients[(isUsers ? 0 : 5) + (Math.floor(i / 2) % 5)] as TestClient;
      return send(client, to(isUsers ? ravi : asha, `m${i}`));
    });
    const acked = await Promise.all(sends);
    const oneTo50 = Array.from({ length: 50 }, (_, i) => i + 1);
    expect(acked.map(({ seq }) => seq).toSorted((x, y) => x - y)).toEqual(oneTo50);
    expect(new Set(acked.map((message) => message.conversationId))).toEqual(new Set([conversationId]));
    for (const client of clients) {
      const got = await client.waitForCount('dm:message_received', 50);
      expect(got.map(({ seq }) => seq)).toEqual(oneTo50);
    }
    for (const client of [clients[0], clients[9]] as TestClient[]) {
      const history = await client.ask<DirectHistoryPayload>('dm:history', {
        conversationId,
        limit: 100,
      });
      expect(history.messages.map(({ seq }) => seq)).toEqual(oneTo50);
    }
  });

  it('the same clientMessageId sent 20 times at once is stored once, delivered once, acked 20 times with the same message', async () => {
    const [a1, a2, r] = await connectAll(url, asha, asha, ravi);
    const payload = { ...to(ravi, 'only once'), clientMessageId: 'retry-me' };
    const acked = await Promise.all(
      Array.from({ length: 20 }, (_, i) => send(i % 2 === 0 ? a1 : a2, payload)),
    );
    expect(new Set(acked.map(({ id }) => id)).size).toBe(1);
    expect(acked.every((message) => JSON.stringify(message) === JSON.stringify(acked[0]))).toBe(true);
    expect(await send(a1, payload)).toEqual(acked[0]);
    await barrier(a1, ravi, r);
    for (const client of [a1, a2, r]) {
      await client.waitFor('dm:message_received', ({ content }) => content === 'barrier');
      expect(client.all('dm:message_received').map(({ content }) => content)).toEqual([
        'only once',
        'barrier',
      ]);
    }
    const history = await r.ask<DirectHistoryPayload>('dm:history', { conversationId });
    expect(history.messages.map(({ content }) => content)).toEqual(['only once', 'barrier']);
  });

  it('a retry among new messages leaves no gap', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    await send(a, { ...to(ravi, 'one'), clientMessageId: 'one' });
    await send(a, { ...to(ravi, 'two'), clientMessageId: 'two' });
    const contents = ['three', 'one', 'four', 'two', 'three', 'five'];
    const acked = await Promise.all(
      contents.map((content) => send(a, { ...to(ravi, content), clientMessageId: content })),
    );
    expect(acked.map(({ seq }) => seq)).toEqual([3, 1, 4, 2, 3, 5]);
    const got = await r.waitForCount('dm:message_received', 5);
    expect(got.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('a clientMessageId belongs to its sender', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const first = await send(a, { ...to(ravi), clientMessageId: 'same' });
    const second = await send(r, { ...to(asha), clientMessageId: 'same' });
    expect([first.seq, second.seq]).toEqual([1, 2]);
    const elsewhere = { ...to(astrologer('other')), clientMessageId: 'same' };
    expect(await a.send('dm:send_message', elsewhere)).toMatchObject({
      ok: false,
      error: { code: 'CONFLICT' },
    });
    a.tell('dm:send_message', elsewhere);
    expect(await a.waitFor('error')).toMatchObject({ event: 'dm:send_message', code: 'CONFLICT' });
  });

  it('a message with media and no text is a message', async () => {
    const a = await connectAs(url, asha);
    const media = {
      mediaUrl: 'https://media.example/v.mp4',
      thumbnailUrl: 'http://media.example/v.jpg',
      mediaSize: 123_456,
      mediaDuration: 12.5,
    };
    expect(await send(a, { ...to(ravi, ''), messageType: 'video', ...media })).toMatchObject({
      content: '',
      messageType: 'video',
      ...media,
    });
    const { content: _, ...withoutContent } = to(ravi);
    expect(
      await send(a, { ...withoutContent, messageType: 'image', mediaUrl: media.mediaUrl }),
    ).toMatchObject({ content: '' });
  });

  it('takes null for every optional field, as Dart clients send it', async () => {
    const a = await connectAs(url, asha);
    const nothing = {
      conversationId: null,
      mediaUrl: null,
      mediaSize: null,
      mediaDuration: null,
      thumbnailUrl: null,
      replyToId: null,
      clientMessageId: null,
    };
    expect(await send(a, { ...to(ravi), messageType: null, ...nothing })).toMatchObject({
      messageType: 'text',
      mediaUrl: null,
      clientMessageId: null,
    });
    expect(await send(a, { ...to(ravi), ...nothing })).toMatchObject({ seq: 2 });
    expect(await send(a, { ...to(ravi), mediaUrl: '', thumbnailUrl: '', replyToId: '' })).toMatchObject({
      seq: 3,
      mediaUrl: null,
    });
  });

  it('keeps text as it was typed', async () => {
    const a = await connectAs(url, asha);
    const content = '  <b>नमस्ते</b> 👋🏽\n{"$ne":1} \u200d‮ ';
    expect((await send(a, to(ravi, content))).content).toBe(content);
    expect((await send(a, to(ravi, 'x'.repeat(4000)))).content).toHaveLength(4000);
    expect((await send(a, to(ravi, '👋'.repeat(4000)))).content).toHaveLength(8000);
  });

  it('answers to a message of the same conversation only', async () => {
    const a = await connectAs(url, asha);
    const first = await send(a, to(ravi));
    expect((await send(a, { ...to(ravi), replyToId: first.id })).replyToId).toBe(first.id);
    const elsewhere = await send(a, to(astrologer('elsewhere')));
    for (const replyToId of [elsewhere.id, '0'.repeat(24)]) {
      expect(await a.send('dm:send_message', { ...to(ravi), replyToId })).toMatchObject({
        ok: false,
        error: { code: 'BAD_REQUEST', details: [{ field: 'replyToId' }] },
      });
      a.tell('dm:send_message', { ...to(ravi), replyToId });
      expect(await a.waitFor('error')).toMatchObject({
        code: 'BAD_REQUEST',
        details: [{ field: 'replyToId' }],
      });
      a.received.length = 0;
    }
  });

  it.each([
    ['recipientId', { recipientId: undefined }],
    ['recipientId', { recipientId: 'a b' }],
    ['recipientId', { recipientId: { $ne: null } }],
    ['recipientId', { recipientId: 7 }],
    ['recipientType', { recipientType: 'everyone' }],
    ['recipientType', { recipientType: undefined }],
    ['conversationId', { conversationId: { $gt: '' } }],
    ['conversationId', { conversationId: '' }],
    ['content', { content: '' }],
    ['content', { content: '   \n' }],
    ['content', { content: undefined }],
    ['content', { content: 'x'.repeat(4001) }],
    ['content', { content: '👋'.repeat(4001) }],
    ['content', { content: ['a'] }],
    ['messageType', { messageType: 'call_log' }],
    ['messageType', { messageType: 'system' }],
    ['mediaUrl', { mediaUrl: 'javascript:alert(1)' }],
    ['mediaUrl', { mediaUrl: 'file:///etc/passwd' }],
    ['mediaUrl', { mediaUrl: `https://media.example/${'x'.repeat(2048)}` }],
    ['thumbnailUrl', { thumbnailUrl: 'ftp://media.example/x' }],
    ['mediaSize', { mediaSize: 1.5 }],
    ['mediaSize', { mediaSize: -1 }],
    ['mediaSize', { mediaSize: '10' }],
    ['mediaDuration', { mediaDuration: -0.5 }],
    ['mediaDuration', { mediaDuration: 86_401 }],
    ['mediaDuration', { mediaDuration: '12' }],
    ['replyToId', { replyToId: 'not-an-id' }],
    ['clientMessageId', { clientMessageId: '' }],
    ['clientMessageId', { clientMessageId: 'a\ud800' }],
    ['recipientId', { recipientId: 'x'.repeat(65) }],
    ['recipientId', { recipientId: 'a\ud800' }],
    ['conversationId', { conversationId: 'x'.repeat(513) }],
    ['clientMessageId', { clientMessageId: 'x'.repeat(129) }],
    ['clientMessageId', { clientMessageId: { $exists: false } }],
  ])('refuses a bad %s (%j)', async (field, change) => {
    const a = await connectAs(url, asha);
    const payload = { ...to(ravi), ...change };
    const error = {
      code: 'BAD_REQUEST',
      message: expect.any(String),
      retryable: false,
      details: [{ field, message: expect.any(String) }],
    };
    expect(await a.send('dm:send_message', payload)).toEqual({ ok: false, error });
    a.tell('dm:send_message', payload);
    expect(await a.waitFor('error')).toEqual({ event: 'dm:send_message', ...error });
  });

  describe('refuses', () => {
    const refused = (client: TestClient, payload: object) => refusal(client, 'dm:send_message', payload);

    it('pairs that may not talk', async () => {
      const a = await connectAs(url, asha);
      expect(await refused(a, to(user('someone')))).toMatchObject({ code: 'FORBIDDEN' });
      const r = await connectAs(url, ravi);
      expect(await refused(r, to(astrologer('someone')))).toMatchObject({ code: 'FORBIDDEN' });
      const root = await connectAs(url, admin('root'));
      expect(await refused(root, to(admin('admin')))).toMatchObject({ code: 'FORBIDDEN' });
    });

    it("a stranger's conversation exactly as one that does not exist: sending does not add the sender to it", async () => {
      const [a, m] = [await connectAs(url, asha), await connectAs(url, mallory)];
      await send(a, to(ravi));
      const existing = await refused(m, { ...to(ravi), conversationId });
      m.received.length = 0;
      const missing = await refused(m, { ...to(ravi), conversationId: `user_nobody_${ravi.id}` });
      expect(existing).toEqual(missing);
      expect(existing.code).toBe('NOT_FOUND');
      const history = await a.ask<DirectHistoryPayload>('dm:history', { conversationId });
      expect(history.total).toBe(1);
    });

    it("an id that is not the pair's own for a new conversation", async () => {
      const a = await connectAs(url, asha);
      expect(await refused(a, { ...to(ravi), conversationId: 'made-up' })).toMatchObject({
        code: 'NOT_FOUND',
      });
    });

    it('a recipient who is not in the conversation', async () => {
      const a = await connectAs(url, asha);
      await send(a, to(ravi));
      const payload = { ...to(astrologer('other')), conversationId };
      expect(await refused(a, payload)).toMatchObject({
        code: 'BAD_REQUEST',
        details: [{ field: 'recipientId' }],
      });
    });

    it('an admin in a conversation of others', async () => {
      const [a, root] = [await connectAs(url, asha), await connectAs(url, admin('root'))];
      await send(a, to(ravi));
      expect(await refused(root, { ...to(ravi), conversationId })).toMatchObject({
        code: 'FORBIDDEN',
      });
    });
  });
});

describe('with DM_ECHO_TO_SENDER=false', () => {
  it('the sending socket gets dm:message_sent, everyone else dm:message_received', async () => {
    const { url: quietUrl } = await startApp({ DM_ECHO_TO_SENDER: 'false' });
    const [a1, a2, r] = await connectAll(quietUrl, asha, asha, ravi);
    const message = await send(a1, to(ravi));
    expect(await a1.waitFor('dm:message_sent')).toEqual(message);
    expect(await a2.waitFor('dm:message_received')).toEqual(message);
    expect(await r.waitFor('dm:message_received')).toEqual(message);
    const answer = await send(r, to(asha, 'barrier'));
    await a1.waitFor('dm:message_received', ({ id }) => id === answer.id);
    expect(a1.all('dm:message_received')).toHaveLength(1);
  });
});

async function connectMany(person: Person, count: number): Promise<TestClient[]> {
  return Promise.all(Array.from({ length: count }, () => connectAs(url, person)));
}
