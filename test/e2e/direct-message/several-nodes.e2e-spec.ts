import type { DirectHistoryPayload } from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { astrologer, user } from '../../support/token.js';

const NODES = 3;
const PER_CLIENT = 40;

/** Several nodes on one database, which do not know of each other. */
let urls: string[];

beforeAll(async () => {
  const first = await startApp();
  urls = [first.url];
  for (let i = 1; i < NODES; i += 1) urls.push((await startApp({ MONGODB_URI: first.mongoUri })).url);
});

const send = (client: TestClient, content: string, clientMessageId?: string) =>
  sendTo(client, astrologer('ravi'), { content, clientMessageId });

describe('several nodes', () => {
  it('number the messages of one conversation without gap or duplicate, each sender in its order', async () => {
    const clients = await Promise.all(urls.map((url) => connectAs(url, user('busy'))));
    const sent = await Promise.all(
      clients.map((client, node) =>
        Promise.all(Array.from({ length: PER_CLIENT }, (_, i) => send(client, `${node}-${i}`))),
      ),
    );
    for (const messages of sent) {
      const seqs = messages.map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
    const all = sent.flat().toSorted((a, b) => a.seq - b.seq);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(all).toHaveLength(NODES * PER_CLIENT);

    const reader = await connectAs(urls[0] as string, astrologer('ravi'));
    const first = await reader.ask<DirectHistoryPayload>('dm:history', {
      conversationId: 'user_busy_ravi',
      afterSeq: 0,
      limit: 100,
    });
    expect(first.messages.map(({ id }) => id)).toEqual(all.slice(0, 100).map(({ id }) => id));
  });

  it('while they write, whoever reads seq n reads everything up to n', async () => {
    const writers = await Promise.all(urls.map((url) => connectAs(url, user('watched'))));
    const reader = await connectAs(urls[1] as string, astrologer('ravi'));
    const state = { isWatching: true };
    const writing = writers.map(async (client) => {
      while (state.isWatching) await Promise.all(['a', 'b', 'c'].map((content) => send(client, content)));
    });
    const seen: number[] = [];
    for (let fruitfulLooks = 0; fruitfulLooks < 20;) {
      const { messages } = await reader.ask<DirectHistoryPayload>('dm:history', {
        conversationId: 'user_watched_ravi',
        afterSeq: seen.length,
      });
      seen.push(...messages.map(({ seq }) => seq));
      if (messages.length > 0) fruitfulLooks += 1;
    }
    state.isWatching = false;
    await Promise.all(writing);
    expect(seen).toEqual(seen.map((_, i) => i + 1));
  });

  it('store a message once whose retries reach all of them at once', async () => {
    const clients = await Promise.all(urls.map((url) => connectAs(url, user('retrying'))));
    const acked = await Promise.all(
      clients.flatMap((client) => [1, 2, 3].map(() => send(client, 'once', 'the-same'))),
    );
    expect(new Set(acked.map(({ id }) => id)).size).toBe(1);
    expect(acked.map(({ seq }) => seq)).toEqual(acked.map(() => 1));
    expect((await send(clients[0] as TestClient, 'next')).seq).toBe(2);
  });
});
