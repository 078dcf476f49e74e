import type { Adapter } from 'socket.io-adapter';
import type {
  DirectConversationPayload,
  DirectConversationsPayload,
  DirectHistoryPayload,
} from '../../../src/contract/direct-message.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import type { RealtimeServer } from '../../../src/realtime/socket.types.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, openClient, type TestClient } from '../../support/client.js';
import { barrier, historyOf, refusal, sendTo } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { type Person, tokenFor } from '../../support/token.js';

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});

const connect = (person: Person): Promise<TestClient> => connectAs(server.url, person);

async function shownTo(client: TestClient): Promise<DirectConversationPayload[]> {
  return (await client.ask<DirectConversationsPayload>('dm:conversations', {})).conversations;
}

/** “mark_read on anybody's message ids” is in mark-read.e2e-spec.ts, “Typing could be spoofed” in typing.e2e-spec.ts. */
describe('faults of the former backend: messages', () => {
  it('History without a membership check and without a limit', async () => {
    const [a, m] = [await connect(asha), await connect(mallory)];
    await Promise.all(Array.from({ length: 120 }, () => sendTo(a, ravi)));
    const existing = await refusal(m, 'dm:history', { conversationId });
    expect(existing.code).toBe('NOT_FOUND');
    expect(await refusal(m, 'dm:history', { conversationId: 'user_nobody_noone' })).toEqual(existing);
    expect(m.all('dm:history')).toEqual([]);
    expect(await a.ask<DirectHistoryPayload>('dm:history', { conversationId })).toMatchObject({
      total: 120,
      limit: 50,
      hasMore: true,
      messages: { length: 50 },
    });
    for (const limit of [101, 1e9, 0, -1]) {
      const error = await refusal(a, 'dm:history', { conversationId, limit });
      expect(error).toMatchObject({ code: 'BAD_REQUEST', details: [{ field: 'limit' }] });
      a.received.length = 0;
    }
  });

  it('Sending added the sender to any conversation', async () => {
    const [a, r, m] = [await connect(asha), await connect(ravi), await connect(mallory)];
    await sendTo(a, ravi);
    const intrusion = {
      conversationId,
      recipientId: ravi.id,
      recipientType: ravi.type,
      content: 'let me in',
    };
    expect((await refusal(m, 'dm:send_message', intrusion)).code).toBe('NOT_FOUND');
    expect((await refusal(m, 'dm:history', { conversationId })).code).toBe('NOT_FOUND');
    await barrier(a, ravi, a, r);
    expect((await historyOf(a, conversationId)).map(({ senderId }) => senderId)).toEqual([asha.id, asha.id]);
    expect((await shownTo(a))[0]?.participants).toHaveLength(2);
    expect(await shownTo(m)).toEqual([]);
    expect(m.all('dm:message_received')).toEqual([]);
  });

  it('Unknown ids were joinable', async () => {
    const m = await connect(mallory);
    for (const id of [
      conversationId,
      'made-up',
      'admin:',
      `user:${asha.id}`,
      `conversation:${conversationId}`,
    ]) {
      expect((await refusal(m, 'dm:join_conversation', { conversationId: id })).code).toBe('NOT_FOUND');
      m.received.length = 0;
    }
    const [a, r] = [await connect(asha), await connect(ravi)];
    await sendTo(a, ravi);
    await barrier(r, asha, a);
    await sendTo(r, mallory, { content: 'barrier' });
    await m.waitFor('dm:message_received', ({ content }) => content === 'barrier');
    expect(m.all('dm:message_received')).toHaveLength(1);
  });

  it('Concurrent first messages made conversations without participants', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    const sent = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? sendTo(a, ravi) : sendTo(r, asha))),
    );
    expect(new Set(sent.map((message) => message.conversationId))).toEqual(new Set([conversationId]));
    for (const client of [a, r]) {
      const conversations = await shownTo(client);
      expect(conversations).toHaveLength(1);
      const participants = conversations[0]?.participants ?? [];
      expect(participants).toHaveLength(2);
      expect(participants).toEqual(
        expect.arrayContaining([
          { id: asha.id, type: asha.type },
          { id: ravi.id, type: ravi.type },
        ]),
      );
    }
  });

  it('`unreadCount` was never written', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    const unread = async (client: TestClient) => (await shownTo(client))[0]?.unreadCount;
    for (let n = 1; n <= 3; n += 1) {
      await sendTo(a, ravi);
      expect([await unread(r), await unread(a)]).toEqual([n, 0]);
    }
    await sendTo(r, asha);
    expect([await unread(r), await unread(a)]).toEqual([3, 1]);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 2 });
    expect([await unread(r), await unread(a)]).toEqual([1, 1]);
  });

  it('`delivered` was claimed, never stored', async () => {
    const a = await connect(asha);
    expect((await sendTo(a, ravi)).status).toBe('sent');
    const r = await connect(ravi);
    expect((await sendTo(a, ravi)).status).toBe('delivered');
    const statuses = async () => (await historyOf(a, conversationId)).map(({ status }) => status);
    expect(await statuses()).toEqual(['sent', 'delivered']);
    await r.ask('dm:mark_delivered', { conversationId, upToSeq: 2 });
    expect(await a.waitFor('dm:messages_delivered')).toMatchObject({ upToSeq: 2 });
    // Another node, which remembers nothing, reads the same.
    const fresh = await startApp({ MONGODB_URI: server.mongoUri });
    const reader = await connectAs(fresh.url, asha);
    expect((await historyOf(reader, conversationId)).map(({ status }) => status)).toEqual([
      'delivered',
      'delivered',
    ]);
  });

  it('A message with media and no text failed', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    const media = { messageType: 'image', mediaUrl: 'https://media.example/p.jpg' };
    const sent = [
      await sendTo(a, ravi, media),
      await sendTo(a, ravi, { ...media, content: '' }),
      await sendTo(a, ravi, { ...media, content: null }),
    ];
    for (const message of sent) {
      expect(message).toMatchObject({ ...media, content: '' });
      expect(await r.waitFor('dm:message_received', ({ id }) => id === message.id)).toEqual(message);
    }
  });

  it('`fetchSockets` on every message', async () => {
    const { server: io } = server.app.get<{ server: RealtimeServer }>(EmitterService, { strict: false });
    const { adapter } = io.of('/') as unknown as { adapter: Adapter };
    const asked: string[] = [];
    const [fetch, ask] = [adapter.fetchSockets.bind(adapter), adapter.serverSideEmit.bind(adapter)];
    adapter.fetchSockets = (options) => (asked.push('fetchSockets'), fetch(options));
    adapter.serverSideEmit = (packet) => (asked.push('serverSideEmit'), ask(packet));
    const a = await connect(asha);
    await sendTo(a, ravi, { content: 'into the dark' });
    const r = await connect(ravi);
    await barrier(a, ravi, r);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 2 });
    await a.waitFor('dm:messages_read');
    expect(asked).toEqual([]);
    // It would have been seen.
    await io.fetchSockets();
    expect(asked).toEqual(['fetchSockets']);
  });

  it('Duplicated or echoed messages were “fixed” five times', async () => {
    const [phone, tablet, r] = [await connect(asha), await connect(asha), await connect(ravi)];
    const first = await sendTo(phone, ravi, { content: 'once', clientMessageId: 'same' });
    for (const client of [phone, tablet, r]) await client.ask('dm:join_conversation', { conversationId });
    const again = await Promise.all(
      [phone, tablet, phone].map((client) =>
        sendTo(client, ravi, { content: 'once', clientMessageId: 'same' }),
      ),
    );
    expect(again).toEqual([first, first, first]);
    await sendTo(phone, ravi, { content: 'twice' });
    await barrier(r, asha, phone, tablet, r);
    for (const client of [phone, tablet, r]) {
      expect(client.all('dm:message_received').map(({ content }) => content)).toEqual([
        'once',
        'twice',
        'barrier',
      ]);
    }
    expect(await historyOf(r, conversationId)).toHaveLength(3);
  });

  it('After a reconnect the app had left its room and missed everything', async () => {
    const a = await connect(asha);
    await sendTo(a, ravi, { content: 'before' });
    const auth = { token: await tokenFor(ravi) };
    const app = openClient(server.url, { auth, reconnection: true, reconnectionDelay: 10 });
    await app.waitFor('connected');
    await app.ask('dm:join_conversation', { conversationId });
    const gone = new Promise((resolve) => app.socket.once('disconnect', resolve));
    app.socket.io.engine.close();
    await gone;
    await sendTo(a, ravi, { content: 'meanwhile' });
    await app.waitForCount('connected', 2);
    // It joins nothing again.
    await barrier(a, ravi, app);
    const { messages } = await app.ask<DirectHistoryPayload>('dm:history', { conversationId, afterSeq: 1 });
    expect(messages.map(({ content }) => content)).toEqual(['meanwhile', 'barrier']);
    await sendTo(a, ravi, { content: 'live again' });
    await app.waitFor('dm:message_received', ({ content }) => content === 'live again');
  });
});
