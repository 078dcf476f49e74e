import type {
  DirectConversationPayload,
  DirectConversationsPayload,
  DirectHistoryPayload,
} from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { admin, astrologer, user } from '../../support/token.js';

let url: string;

beforeAll(async () => {
  ({ url } = await startApp());
});

const list = (client: TestClient, window: object = {}) =>
  client.ask<DirectConversationsPayload>('dm:conversations', window);

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);

describe('dm:conversations', () => {
  it('shows a conversation to both sides, each with its own count and marks', async () => {
    const [asha, ravi] = [user('asha'), astrologer('ravi')];
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    await sendTo(a, ravi, { content: 'first' });
    const last = await sendTo(a, ravi, { content: 'second' });
    await r.ask('dm:mark_read', { conversationId: last.conversationId, upToSeq: 1 });
    const { conversations, nextCursor } = await list(a);
    expect(nextCursor).toBeNull();
    expect(conversations).toEqual([
      {
        conversationId: 'user_asha_ravi',
        participants: expect.arrayContaining([
          { id: 'asha', type: 'user' },
          { id: 'ravi', type: 'astrologer' },
        ]),
        peer: { id: 'ravi', type: 'astrologer' },
        lastMessage: 'second',
        lastMessageType: 'text',
        lastSenderId: 'asha',
        lastSenderType: 'user',
        lastMessageAt: last.timestamp,
        lastSeq: 2,
        unreadCount: 0,
        marks: { readSeq: 0, readAt: null, deliveredSeq: 0 },
        peerMarks: { readSeq: 1, readAt: ISO, deliveredSeq: 1 },
        updatedAt: ISO,
      },
    ]);
    expect((await list(r)).conversations).toMatchObject([
      {
        peer: { id: 'asha', type: 'user' },
        unreadCount: 1,
        marks: { readSeq: 1, readAt: ISO, deliveredSeq: 1 },
        peerMarks: { readSeq: 0, readAt: null, deliveredSeq: 0 },
      },
    ]);
  });

  it('is right at once after a message, and puts that conversation first', async () => {
    const guru = astrologer('guru');
    const g = await connectAs(url, guru);
    const clients = await Promise.all(['u1', 'u2', 'u3'].map((id) => connectAs(url, user(id))));
    for (const client of clients) await sendTo(client, guru, { content: 'hello' });
    for (const [index, client] of clients.entries()) {
      await sendTo(client, guru, { content: `again ${index}` });
      const { conversations } = await list(g);
      expect(conversations[0]).toMatchObject({ lastMessage: `again ${index}`, lastSeq: 2, unreadCount: 2 });
    }
  });

  it('pages through everything once, newest first, whatever is written meanwhile', async () => {
    const sage = astrologer('sage');
    const s = await connectAs(url, sage);
    const names = Array.from({ length: 12 }, (_, index) => `visitor${index}`);
    for (const name of names) await sendTo(await connectAs(url, user(name)), sage, { content: name });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: DirectConversationsPayload = await list(s, { limit: 5, cursor });
      expect(page.conversations.length).toBeLessThanOrEqual(5);
      seen.push(...page.conversations.map(({ peer }) => peer.id));
      cursor = page.nextCursor;
      // Moves up one that was seen already: it must not come again, and push nobody out.
      if (seen.length === 5) await sendTo(s, user(seen[4] ?? ''), { content: 'moving up' });
    } while (cursor !== null);
    expect(seen).toEqual(names.toReversed());
  });

  it('gives with updatedAfter what changed since: messages and marks, newest change first', async () => {
    const mira = astrologer('mira');
    const m = await connectAs(url, mira);
    const clients = new Map<string, TestClient>();
    for (const name of ['c1', 'c2', 'c3']) {
      clients.set(name, await connectAs(url, user(name)));
      await sendTo(clients.get(name) as TestClient, mira, { content: name });
    }
    const before = await list(m);
    const updatedAfter = before.conversations
      .map(({ updatedAt }) => updatedAt)
      .toSorted()
      .at(-1);
    // What changed at that very moment comes again: something else may have changed in the same millisecond.
    const unchanged = await list(m, { updatedAfter });
    expect(unchanged.conversations).toEqual(
      before.conversations.filter((entry) => entry.updatedAt === updatedAfter),
    );
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect(await list(m, { updatedAfter: future })).toEqual({ conversations: [], nextCursor: null });
    await m.ask('dm:mark_read', { conversationId: 'user_c1_mira', upToSeq: 1 });
    await sendTo(clients.get('c3') as TestClient, mira, { content: 'news' });
    const changed = await list(m, { updatedAfter });
    expect(changed.conversations.map(({ peer }) => peer.id).slice(0, 2)).toEqual(['c3', 'c1']);
    const first = await list(m, { updatedAfter, limit: 1 });
    const second = await list(m, { updatedAfter, limit: 1, cursor: first.nextCursor });
    expect([...first.conversations, ...second.conversations]).toEqual(changed.conversations.slice(0, 2));
  });

  it('has nothing of others, not even for admins who take no part', async () => {
    expect(await list(await connectAs(url, user('newcomer')))).toEqual({
      conversations: [],
      nextCursor: null,
    });
    const { conversations } = await list(await connectAs(url, admin('root')));
    expect(conversations.every(({ participants }) => participants.some(({ type }) => type === 'admin'))).toBe(
      true,
    );
    // Same id, another kind of account.
    expect((await list(await connectAs(url, user('ravi')))).conversations).toEqual([]);
  });

  it.each([
    [{ cursor: 'garbage' }, 'cursor'],
    [{ cursor: Buffer.from('[1]').toString('base64url') }, 'cursor'],
    [{ cursor: Buffer.from('[{"$gt":1},{"$gt":""}]').toString('base64url') }, 'cursor'],
    [{ cursor: Buffer.from('[1e300,"a"]').toString('base64url') }, 'cursor'],
    [{ cursor: { $gt: '' } }, 'cursor'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 101 }, 'limit'],
    [{ updatedAfter: 'yesterday' }, 'updatedAfter'],
    [{ updatedAfter: { $gt: '' } }, 'updatedAfter'],
    [{ updatedAfter: '2026-W47' }, 'updatedAfter'],
  ])('refuses %j', async (payload, field) => {
    const client = await connectAs(url, user('asha'));
    const ack = await client.send('dm:conversations', payload);
    expect(ack).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', details: [{ field }] } });
    client.tell('dm:conversations', payload);
    expect(await client.waitFor('error')).toMatchObject({ event: 'dm:conversations', code: 'BAD_REQUEST' });
  });
});

describe('dm:open', () => {
  it('makes the conversation, which only the opener sees until somebody speaks', async () => {
    const [tara, dev] = [user('tara'), astrologer('dev')];
    const [t, d] = [await connectAs(url, tara), await connectAs(url, dev)];
    const opened = await t.ask<DirectConversationPayload>('dm:open', {
      recipientId: 'dev',
      recipientType: 'astrologer',
    });
    expect(opened).toMatchObject({
      conversationId: 'user_tara_dev',
      peer: { id: 'dev', type: 'astrologer' },
      lastMessage: null,
      lastMessageAt: null,
      lastSeq: 0,
      unreadCount: 0,
    });
    expect((await list(t)).conversations).toEqual([opened]);
    expect((await list(d)).conversations).toEqual([]);
    await sendTo(t, dev, { content: 'now' });
    expect((await list(d)).conversations).toMatchObject([
      { conversationId: 'user_tara_dev', unreadCount: 1 },
    ]);
  });

  it('shows nobody a conversation whose first message was refused', async () => {
    const [a, b] = [await connectAs(url, user('clumsy')), await connectAs(url, astrologer('quiet'))];
    const refused = await a.send('dm:send_message', {
      recipientId: 'quiet',
      recipientType: 'astrologer',
      content: 'an answer',
      replyToId: '0'.repeat(24),
    });
    expect(refused).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
    expect((await list(b)).conversations).toEqual([]);
    await sendTo(a, astrologer('quiet'), { content: 'first' });
    expect((await list(b)).conversations).toMatchObject([{ lastMessage: 'first' }]);
    expect((await list(a)).conversations).toMatchObject([{ lastMessage: 'first' }]);
  });

  it('makes one, however many open it at once from both sides', async () => {
    const [a, b] = [await connectAs(url, user('kim')), await connectAs(url, astrologer('lee'))];
    const opened = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 2
          ? a.ask<DirectConversationPayload>('dm:open', { recipientId: 'lee', recipientType: 'astrologer' })
          : b.ask<DirectConversationPayload>('dm:open', { recipientId: 'kim', recipientType: 'user' }),
      ),
    );
    expect(new Set(opened.map(({ conversationId }) => conversationId))).toEqual(new Set(['user_kim_lee']));
    expect((await list(a)).conversations).toHaveLength(1);
    expect((await list(b)).conversations).toHaveLength(1);
  });

  it('gives an old one with all that was said', async () => {
    const [a, b] = [await connectAs(url, user('old')), await connectAs(url, astrologer('friend'))];
    await sendTo(a, astrologer('friend'), { content: 'one' });
    const opened = await b.ask<DirectConversationPayload>('dm:open', {
      recipientId: 'old',
      recipientType: 'user',
    });
    expect(opened).toMatchObject({ lastMessage: 'one', lastSeq: 1, unreadCount: 1 });
    const { messages } = await b.ask<DirectHistoryPayload>('dm:history', {
      conversationId: opened.conversationId,
    });
    expect(messages.map(({ content }) => content)).toEqual(['one']);
  });

  it('refuses pairs that may not talk, and what is no person', async () => {
    const client = await connectAs(url, user('asha'));
    const forbidden = await client.send('dm:open', { recipientId: 'other', recipientType: 'user' });
    expect(forbidden).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    client.tell('dm:open', { recipientId: 'other', recipientType: 'user' });
    expect(await client.waitFor('error')).toMatchObject({ event: 'dm:open', code: 'FORBIDDEN' });
    for (const [payload, field] of [
      [{ recipientId: 'a b', recipientType: 'astrologer' }, 'recipientId'],
      [{ recipientId: { $ne: '' }, recipientType: 'astrologer' }, 'recipientId'],
      [{ recipientId: 'ravi', recipientType: 'robot' }, 'recipientType'],
    ] as const) {
      expect(await client.send('dm:open', payload)).toMatchObject({
        ok: false,
        error: { code: 'BAD_REQUEST', details: [{ field }] },
      });
    }
    expect((await list(client)).conversations.every(({ peer }) => peer.id === 'ravi')).toBe(true);
  });
});
