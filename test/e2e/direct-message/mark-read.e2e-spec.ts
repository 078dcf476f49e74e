import type {
  DirectConversationsPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
  ReadMarkPayload,
} from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { admin, user } from '../../support/token.js';

let url: string;

beforeAll(async () => {
  ({ url } = await startApp());
});

/** A pair that nobody else uses, with a conversation of `count` messages by the user. */
async function pairWith(count: number) {
  const { asha, ravi, conversationId } = newPair();
  const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
  const sent: DirectMessagePayload[] = [];
  for (let n = 1; n <= count; n += 1) sent.push(await sendTo(a, ravi, { content: `m${n}` }));
  return { asha, ravi, conversationId, a, r, sent };
}

async function unreadOf(client: TestClient, conversationId: string): Promise<number | undefined> {
  const { conversations } = await client.ask<DirectConversationsPayload>('dm:conversations', {});
  return conversations.find((entry) => entry.conversationId === conversationId)?.unreadCount;
}

describe('dm:mark_read', () => {
  it('tells the writer and the reader’s other devices what was read, and the reader where the mark stands', async () => {
    const { ravi, conversationId, a, r, sent } = await pairWith(3);
    const tablet = await connectAs(url, ravi);
    const ack = await r.ask<ReadMarkPayload>('dm:mark_read', {
      conversationId,
      messageIds: [sent[0]?.id, sent[1]?.id],
    });
    expect(ack).toEqual({ conversationId, upToSeq: 2, unreadCount: 1 });
    const told = await a.waitFor('dm:messages_read');
    expect(told).toEqual({
      conversationId,
      messageIds: [sent[0]?.id, sent[1]?.id],
      upToSeq: 2,
      readBy: ravi.id,
      readByType: 'astrologer',
      readAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(await tablet.waitFor('dm:messages_read')).toEqual(told);
    // The next message is the barrier: by then the reader's own socket has heard nothing.
    await sendTo(a, ravi, { content: 'later' });
    await r.waitFor('dm:message_received', ({ content }) => content === 'later');
    expect(r.all('dm:messages_read')).toEqual([]);
  });

  it('reads up to a seq, and never further than the conversation goes', async () => {
    const { ravi, conversationId, a, r } = await pairWith(2);
    expect(await r.ask('dm:mark_read', { conversationId, upToSeq: 1000 })).toEqual({
      conversationId,
      upToSeq: 2,
      unreadCount: 0,
    });
    await sendTo(a, ravi, { content: 'unread' });
    expect(await unreadOf(r, conversationId)).toBe(1);
  });

  it('never goes back, and says so once', async () => {
    const { ravi, conversationId, a, r } = await pairWith(5);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 4 });
    const expected = { conversationId, upToSeq: 4, unreadCount: 1 };
    expect(await r.ask('dm:mark_read', { conversationId, upToSeq: 2 })).toEqual(expected);
    expect(await r.ask('dm:mark_read', { conversationId, upToSeq: 4 })).toEqual(expected);
    expect(await r.ask('dm:mark_read', { conversationId, upToSeq: 0 })).toEqual(expected);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 5 });
    await a.waitFor('dm:messages_read', ({ upToSeq }) => upToSeq === 5);
    expect(a.all('dm:messages_read').map(({ upToSeq }) => upToSeq)).toEqual([4, 5]);
    expect(ravi.id).toBe(a.all('dm:messages_read')[0]?.readBy);
  });

  it('ends at the furthest of marks that are set at the same moment, also the first ones', async () => {
    const { conversationId, a, r, ravi } = await pairWith(20);
    const second = await connectAs(url, ravi);
    const seqs = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.all(
      seqs.map((upToSeq) => (upToSeq % 2 ? r : second).ask('dm:mark_read', { conversationId, upToSeq })),
    );
    expect(await r.ask('dm:mark_read', { conversationId, upToSeq: 1 })).toEqual({
      conversationId,
      upToSeq: 20,
      unreadCount: 0,
    });
    await a.waitFor('dm:messages_read', ({ upToSeq }) => upToSeq === 20);
    const told = a.all('dm:messages_read');
    // Whoever moved the mark told of its own stretch, so every message was told of exactly once.
    expect(told.flatMap(({ messageIds }) => messageIds)).toHaveLength(20);
    expect(new Set(told.flatMap(({ messageIds }) => messageIds)).size).toBe(20);
  });

  it('shows as the status of the messages, for both sides', async () => {
    const { conversationId, a, r, ravi } = await pairWith(3);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 2 });
    for (const client of [a, r]) {
      const { messages } = await client.ask<DirectHistoryPayload>('dm:history', { conversationId });
      expect(messages.map(({ status }) => status)).toEqual(['read', 'read', 'delivered']);
    }
    expect(ravi.type).toBe('astrologer');
  });

  it('never counts one’s own messages', async () => {
    const { asha, ravi, conversationId, a, r } = await pairWith(2);
    await sendTo(r, asha, { content: 'an answer' });
    await sendTo(a, ravi, { content: 'm3' });
    await sendTo(r, asha, { content: 'another' });
    expect(await unreadOf(r, conversationId)).toBe(3);
    expect(await unreadOf(a, conversationId)).toBe(2);
    expect(await r.ask('dm:mark_read', { conversationId, upToSeq: 3 })).toMatchObject({ unreadCount: 1 });
    expect(await a.ask('dm:mark_read', { conversationId, upToSeq: 3 })).toMatchObject({ unreadCount: 1 });
  });

  it('is the same for every admin, who share one inbox', async () => {
    const { asha } = await pairWith(0);
    const [first, second] = [await connectAs(url, admin('root')), await connectAs(url, admin('boss'))];
    const client = await connectAs(url, asha);
    const { conversationId } = await sendTo(client, { ...admin('admin'), id: 'admin' }, { content: 'help' });
    await first.ask('dm:mark_read', { conversationId, upToSeq: 1 });
    expect(await second.waitFor('dm:messages_read')).toMatchObject({ readBy: 'admin', upToSeq: 1 });
    expect(await unreadOf(second, conversationId)).toBe(0);
  });

  it('is harmless for a pair that has not spoken', async () => {
    const client = await connectAs(url, user('loner'));
    const conversationId = 'user_loner_nobody';
    expect(await client.ask('dm:mark_read', { conversationId, upToSeq: 5 })).toEqual({
      conversationId,
      upToSeq: 0,
      unreadCount: 0,
    });
  });

  it("mark_read on anybody's message ids", async () => {
    const { conversationId, a, r, sent } = await pairWith(1);
    const other = await pairWith(1);
    const own = await sendTo(r, other.asha, { content: 'not yours' }).catch(() => undefined);
    // Ids of other conversations, one's own messages, and what is no id are passed over: nothing is read by them.
    const answer = await sendTo(
      r,
      { ...user('x'), id: conversationId.split('_')[1] ?? '' },
      { content: 'an answer' },
    );
    const ids = [other.sent[0]?.id, answer.id, own?.id, 'garbage', '{"$gt":""}'].filter(
      (id) => id !== undefined,
    );
    expect(await r.ask('dm:mark_read', { conversationId, messageIds: ids })).toEqual({
      conversationId,
      upToSeq: 0,
      unreadCount: 1,
    });
    // Somebody else's conversation: nothing is done, and nothing is learned.
    const stranger = await connectAs(url, user('stranger'));
    const refused = await stranger.send('dm:mark_read', { conversationId, messageIds: [sent[0]?.id] });
    const unknown = await stranger.send('dm:mark_read', {
      conversationId: 'user_a_b',
      messageIds: [sent[0]?.id],
    });
    expect(refused).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    expect(unknown).toEqual(refused);
    stranger.tell('dm:mark_read', { conversationId, upToSeq: 1 });
    expect(await stranger.waitFor('error')).toMatchObject({ event: 'dm:mark_read', code: 'NOT_FOUND' });
    const boss = await connectAs(url, admin('boss'));
    expect(await boss.send('dm:mark_read', { conversationId, upToSeq: 1 })).toMatchObject({
      ok: false,
      error: { code: 'FORBIDDEN' },
    });
    await r.ask('dm:mark_read', { conversationId, upToSeq: 1 });
    await a.waitFor('dm:messages_read');
    expect(a.all('dm:messages_read')).toHaveLength(1);
  });

  it.each([
    ['neither', {}, 'messageIds'],
    ['ids that are no list', { messageIds: 'abc' }, 'messageIds'],
    ['an id that is no text', { messageIds: [{ $gt: '' }] }, 'messageIds'],
    ['too many ids', { messageIds: Array.from({ length: 501 }, () => 'a'.repeat(24)) }, 'messageIds'],
    ['a seq below 0', { upToSeq: -1 }, 'upToSeq'],
    ['a seq that is no integer', { upToSeq: 1.5 }, 'upToSeq'],
    ['a seq that is no number', { upToSeq: { $gt: 0 } }, 'upToSeq'],
  ])('refuses %s', async (_, payload, field) => {
    const client = await connectAs(url, user('asha'));
    const ack = await client.send('dm:mark_read', { conversationId: 'user_asha_ravi', ...payload });
    expect(ack).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', details: [{ field }] } });
  });
});
