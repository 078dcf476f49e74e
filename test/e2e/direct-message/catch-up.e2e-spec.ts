import type {
  DirectConversationPayload,
  DirectConversationsPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
} from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, openClient, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { startRedis } from '../../support/redis.js';
import { astrologer, type Person, tokenFor, user } from '../../support/token.js';

const MISSED = 500;
const AT_ONCE = 50;
const ROUNDS = 5;
const ONE_SECOND_MS = 1000;

let url: string;
let otherUrl: string;

/** Two nodes on one database and one Redis. */
beforeAll(async () => {
  const REDIS_URL = (await startRedis()).url;
  const first = await startApp({ REDIS_URL });
  url = first.url;
  ({ url: otherUrl } = await startApp({ REDIS_URL, MONGODB_URI: first.mongoUri }));
});

async function say(from: TestClient, to: Person, count: number): Promise<DirectMessagePayload[]> {
  const sent: DirectMessagePayload[] = [];
  while (sent.length < count) {
    const size = Math.min(AT_ONCE, count - sent.length);
    sent.push(...(await Promise.all(Array.from({ length: size }, () => sendTo(from, to)))));
  }
  return sent;
}

async function shownTo(client: TestClient): Promise<DirectConversationPayload | undefined> {
  return (await client.ask<DirectConversationsPayload>('dm:conversations', {})).conversations[0];
}

/** What docs/events.md says to do after every `connected`, for whoever has everything up to `lastSeq`. */
async function catchUp(
  client: TestClient,
  conversationId: string,
  lastSeq: number,
  updatedAfter?: string,
): Promise<DirectMessagePayload[]> {
  const { conversations } = await client.ask<DirectConversationsPayload>('dm:conversations', {
    updatedAfter,
  });
  const found = conversations.find((entry) => entry.conversationId === conversationId);
  const messages: DirectMessagePayload[] = [];
  for (let hasMore = (found?.lastSeq ?? 0) > lastSeq; hasMore;) {
    const afterSeq = messages.at(-1)?.seq ?? lastSeq;
    const page = await client.ask<DirectHistoryPayload>('dm:history', { conversationId, afterSeq });
    messages.push(...page.messages);
    hasMore = page.hasMore;
  }
  return messages;
}

/** As apps keep messages: one for each seq, in this order. */
function merge(...lists: DirectMessagePayload[][]): string[] {
  const bySeq = new Map(lists.flat().map((message) => [message.seq, message.id]));
  return [...bySeq].toSorted(([a], [b]) => a - b).map(([seq, id]) => `${seq} ${id}`);
}

const median = (times: number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;

describe('Two devices of one person', () => {
  it.each([['one node'], ['two nodes']])(
    'show the same unread count and the same read marks within one second; own messages are never counted (%s)',
    async (nodes) => {
      const { asha, ravi, conversationId } = newPair();
      const a = await connectAs(url, asha);
      const phone = await connectAs(url, ravi);
      const tablet = await connectAs(nodes === 'one node' ? url : otherUrl, ravi);
      const times: number[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        await say(a, ravi, 3);
        const own = await sendTo(phone, asha);
        // Of the four that are new, three are by the other: the first two are read now, and what the last round left.
        const upToSeq = own.seq - 2;
        const started = performance.now();
        const acked = await phone.ask('dm:mark_read', { conversationId, upToSeq });
        const told = await tablet.waitFor('dm:messages_read', (read) => read.upToSeq === upToSeq);
        const [onTablet, onPhone] = [await shownTo(tablet), await shownTo(phone)];
        times.push(performance.now() - started);
        expect(acked).toEqual({ conversationId, upToSeq, unreadCount: 1 });
        expect(told).toMatchObject({ conversationId, readBy: ravi.id, readByType: 'astrologer' });
        expect(onTablet).toMatchObject({ conversationId, lastSeq: own.seq, unreadCount: 1 });
        expect(onTablet?.marks).toMatchObject({ readSeq: upToSeq, readAt: told.readAt });
        // A note of a message may be written between the two answers.
        expect(onTablet).toEqual({ ...onPhone, updatedAt: expect.any(String) });
        expect(await shownTo(a)).toMatchObject({ unreadCount: round, peerMarks: { readSeq: upToSeq } });
      }
      expect(median(times)).toBeLessThan(ONE_SECOND_MS);
      expect(phone.all('dm:messages_read').filter(({ readBy }) => readBy === ravi.id)).toEqual([]);
    },
  );
});

describe('catching up', () => {
  it('A client that joined no room, and one that was away for 500 messages, both end with the full conversation', async () => {
    const { asha, ravi, conversationId } = newPair();
    const a = await connectAs(url, asha);
    const joinedNothing = await connectAs(otherUrl, ravi);
    const leaving = await connectAs(url, ravi);
    const before = await say(a, ravi, 3);
    await leaving.waitForCount('dm:message_received', 3);
    const { updatedAt } = (await shownTo(leaving)) ?? {};
    leaving.close();
    const missed = await say(a, ravi, MISSED);

    const back = await connectAs(url, ravi);
    // Others go on while it catches up.
    const [meanwhile, caughtUp] = await Promise.all([
      say(a, ravi, 20),
      catchUp(back, conversationId, 3, updatedAt),
    ]);
    expect(caughtUp.length).toBeGreaterThanOrEqual(MISSED);
    await back.waitForCount('dm:message_received', 20);
    await joinedNothing.waitForCount('dm:message_received', 3 + MISSED + 20);

    const whole = merge(before, missed, meanwhile);
    expect(whole).toHaveLength(3 + MISSED + 20);
    expect(whole.map((entry) => Number(entry.split(' ')[0]))).toEqual(whole.map((_, i) => i + 1));
    expect(merge(joinedNothing.all('dm:message_received'))).toEqual(whole);
    expect(joinedNothing.all('dm:message_received')).toHaveLength(whole.length);
    expect(merge(leaving.all('dm:message_received'), caughtUp, back.all('dm:message_received'))).toEqual(
      whole,
    );
    expect(await shownTo(back)).toMatchObject({ lastSeq: whole.length, unreadCount: whole.length });
  });

  it('what changed while a list of several pages was read comes when it is asked for once more', async () => {
    const guru = astrologer('guru');
    const g = await connectAs(url, guru);
    for (const id of ['one', 'two', 'three']) await sendTo(await connectAs(url, user(id)), guru);
    const updatedAfter = new Date(0).toISOString();
    const ask = (window: object) => g.ask<DirectConversationsPayload>('dm:conversations', window);
    const lastOne = (await ask({ updatedAfter })).conversations.at(-1)?.conversationId;
    const seen: DirectConversationPayload[] = [];
    let page = await ask({ updatedAfter, limit: 1 });
    // The last one goes to the front, past the reader.
    await g.ask('dm:mark_read', { conversationId: lastOne, upToSeq: 1 });
    while (page.conversations.length > 0) {
      seen.push(...page.conversations);
      if (page.nextCursor === null) break;
      page = await ask({ updatedAfter, limit: 1, cursor: page.nextCursor });
    }
    expect(seen.length).toBeGreaterThanOrEqual(2);
    const newest = seen
      .map((entry) => entry.updatedAt)
      .toSorted()
      .at(-1);
    const { conversations } = await ask({ updatedAfter: newest });
    expect(conversations.find(({ conversationId }) => conversationId === lastOne)).toMatchObject({
      unreadCount: 0,
      marks: { readSeq: 1 },
    });
  });

  it('after every reconnect an app that joined nothing still gets everything', async () => {
    const { asha, ravi, conversationId } = newPair();
    const a = await connectAs(url, asha);
    const app = openClient(url, {
      auth: { token: await tokenFor(ravi) },
      reconnection: true,
      reconnectionDelay: 10,
    });
    await app.waitFor('connected');
    const sent: DirectMessagePayload[] = [];
    const kept: DirectMessagePayload[] = [];
    for (let round = 1; round <= 3; round += 1) {
      const live = await sendTo(a, ravi, { content: `live ${round}` });
      await app.waitFor('dm:message_received', ({ id }) => id === live.id);
      const gone = new Promise((resolve) => app.socket.once('disconnect', resolve));
      app.socket.io.engine.close();
      await gone;
      const missed = await sendTo(a, ravi, { content: `missed ${round}` });
      sent.push(live, missed);
      await app.waitForCount('connected', round + 1);
      kept.push(...app.all('dm:message_received'));
      kept.push(...(await catchUp(app, conversationId, sent.length - 1)));
    }
    expect(merge(kept)).toEqual(merge(sent));
    expect(app.all('dm:joined')).toEqual([]);
  });
});
