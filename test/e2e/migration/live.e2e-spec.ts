import { mongo } from 'mongoose';
import type {
  DirectConversationsPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
} from '../../../src/contract/direct-message.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterAll } from '../../support/cleanup.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { FormerDatabase } from '../../support/former-database.js';
import { astrologer, user } from '../../support/token.js';

const FORMER = 1500;
const START = Date.UTC(2024, 0, 1);
/** The former messages that were read: the oldest ones. */
const READ = new Set(Array.from({ length: 40 }, (_, i) => `former ${i}`));

let app: TestApp;
let former: FormerDatabase;

beforeAll(async () => {
  app = await startApp();
  former = await FormerDatabase.open(app.mongoUri, closeAfterAll);
});

/** Messages of two, as the seed's schema has them, the newest first. */
async function storeFormer(person: string, count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, i) => ({
    _id: new mongo.ObjectId(),
    conversationId: `user_${person}_ravi`,
    ...(i % 2 === 0
      ? { senderId: person, senderType: 'user', recipientId: 'ravi', recipientType: 'astrologer' }
      : { senderId: 'ravi', senderType: 'astrologer', recipientId: person, recipientType: 'user' }),
    content: `former ${i}`,
    messageType: 'text',
    timestamp: new Date(START + i * 1000),
    status: READ.has(`former ${i}`) ? 'read' : 'sent',
    __v: 0,
  }));
  await former.messages.insertMany(messages.toReversed());
  return messages.map(({ content }) => content);
}

async function readOn(
  client: TestClient,
  conversationId: string,
  afterSeq: number,
): Promise<DirectMessagePayload[]> {
  const request = { conversationId, afterSeq, limit: 100 };
  return (await client.ask<DirectHistoryPayload>('dm:history', request)).messages;
}

describe('while the server runs', () => {
  it('a reader sees a growing prefix without gaps, and in the end everything in its order', async () => {
    const expected = await storeFormer('reader', FORMER);
    const client = await connectAs(app.url, user('reader'));
    const conversationId = 'user_reader_ravi';
    expect(await readOn(client, conversationId, 0)).toEqual([]);
    await client.ask('dm:join_conversation', { conversationId });

    const state = { isRunning: true };
    const migrating = former.migrate().finally(() => (state.isRunning = false));
    const seen: DirectMessagePayload[] = [];
    let looksWithNews = 0;
    for (let isLastLook = false; ;) {
      const news = await readOn(client, conversationId, seen.length);
      seen.push(...news);
      expect(news.map(({ seq }) => seq)).toEqual(news.map((_, i) => seen.length - news.length + i + 1));
      if (news.length > 0 && state.isRunning) looksWithNews += 1;
      if (isLastLook && news.length === 0) break;
      isLastLook = !state.isRunning;
    }
    await migrating;
    expect(looksWithNews).toBeGreaterThan(0);
    expect(seen.map(({ content }) => content)).toEqual(expected);
  });

  it('messages sent meanwhile and before are kept with the places that were acknowledged', async () => {
    const expected = await storeFormer('writer', FORMER / 3);
    const [client, ravi] = [
      await connectAs(app.url, user('writer')),
      await connectAs(app.url, astrologer('ravi')),
    ];
    const conversationId = 'user_writer_ravi';
    const say = (from: TestClient, recipientId: string, recipientType: string, content: string) =>
      from.send<DirectMessagePayload>('dm:send_message', {
        recipientId,
        recipientType,
        content,
        clientMessageId: content,
      });
    const first = await say(client, 'ravi', 'astrologer', 'new before');
    expect(first).toMatchObject({ ok: true, data: { seq: 1, content: 'new before' } });
    const acked: DirectMessagePayload[] = first.ok ? [first.data] : [];

    const state = { isRunning: true };
    const migrating = former.migrate().finally(() => (state.isRunning = false));
    for (let i = 0; state.isRunning; i += 1) {
      const answers = await Promise.all([
        say(client, 'ravi', 'astrologer', `new user ${i}`),
        say(ravi, 'writer', 'user', `new ravi ${i}`),
      ]);
      // Faster than any two people, and yet not as fast as a program.
      for (let look = 0; look < 5; look += 1) await readOn(client, conversationId, 0);
      // In a race with the migration a send may be refused as UNAVAILABLE; then it is no one's.
      for (const answer of answers) {
        if (answer.ok) acked.push(answer.data);
        else expect(answer.error.code).toBe('UNAVAILABLE');
      }
    }
    await migrating;
    expect(acked.length).toBeGreaterThan(1);

    const all: DirectMessagePayload[] = [];
    for (let news = await readOn(client, conversationId, 0); news.length > 0;) {
      all.push(...news);
      news = await readOn(client, conversationId, all.length);
    }
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.map(({ content }) => content).filter((content) => content.startsWith('former'))).toEqual(
      expected,
    );
    const byId = new Map(all.map((message) => [message.id, message]));
    for (const message of acked) expect(byId.get(message.id)).toEqual(message);

    const stored = await former.messages.find({ conversationId }).sort({ seq: 1 }).toArray();
    for (const sender of ['writer', 'ravi']) {
      const own = stored.filter(({ senderId }) => senderId === sender);
      expect(own.map(({ senderSeq }) => senderSeq)).toEqual(own.map((_, i) => i + 1));
    }
    const newest = Math.max(...all.map(({ timestamp }) => Date.parse(timestamp)));
    for (const [own, other] of [
      [client, 'ravi'],
      [ravi, 'writer'],
    ] as const) {
      const { conversations } = await own.ask<DirectConversationsPayload>('dm:conversations', {});
      const listed = conversations.find((one) => one.conversationId === conversationId);
      const last = all.at(-1);
      expect(listed).toMatchObject({ lastSeq: all.length, lastMessage: last?.content });
      expect(Date.parse(listed?.lastMessageAt ?? '')).toBe(newest);
      const unread = all.filter(({ senderId, content }) => senderId === other && !READ.has(content));
      expect(listed?.unreadCount).toBe(unread.length);
      // The mark covers what was read as far as nothing unread by the other one comes before it.
      const firstUnread = unread[0]?.seq ?? Infinity;
      expect(listed?.marks.readSeq).toBeLessThan(firstUnread);
    }
  });
});
