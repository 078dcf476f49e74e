import mongoose from 'mongoose';
import type {
  DirectConversationPayload,
  DirectConversationsPayload,
  DirectMessagePayload,
  ReadMarkPayload,
} from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { closeAfterAll } from '../../support/cleanup.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { barrier, historyOf, sendTo } from '../../support/direct-chat.js';
import { until } from '../../support/until.js';
import { astrologer, type Person, user } from '../../support/token.js';

let proxy: DatabaseProxy;
let url: string;
let database: mongoose.mongo.Db;
let run = 0;
/** Fresh people for every test: no test sees another's conversations. */
let asha: Person;
let bela: Person;
let ravi: Person;
let conversationId: string;

beforeAll(async () => {
  const { mongoUri } = await startApp();
  proxy = await DatabaseProxy.start(mongoUri);
  ({ url } = await startApp({ MONGODB_URI: proxy.uri }));
  const past = await new mongoose.mongo.MongoClient(mongoUri).connect();
  closeAfterAll(() => past.close());
  database = past.db('samvad');
});
beforeEach(() => {
  run += 1;
  [asha, bela, ravi] = [user(`asha${run}`), user(`bela${run}`), astrologer(`ravi${run}`)];
  conversationId = `user_${asha.id}_${ravi.id}`;
});

const connect = (person: Person): Promise<TestClient> => connectAs(url, person);

const trySend = (client: TestClient, fields: object) =>
  client.send<DirectMessagePayload>('dm:send_message', {
    recipientId: ravi.id,
    recipientType: ravi.type,
    ...fields,
  });

/** As a client does it that was told UNAVAILABLE. */
async function persist<T>(client: TestClient, event: string, payload: object): Promise<T> {
  let data: T | undefined;
  await until(async () => {
    const ack = await client.send<T>(event, payload);
    if (ack.ok) data = ack.data;
    else expect(ack.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    return ack.ok;
  });
  return data as T;
}

/** What a list shows of the conversation. */
async function shown(client: TestClient, request: object = {}): Promise<DirectConversationPayload> {
  const list = await persist<DirectConversationsPayload>(client, 'dm:conversations', request);
  return list.conversations.find((one) => one.conversationId === conversationId) as DirectConversationPayload;
}

const contents = (client: TestClient) => client.all('dm:message_received').map(({ content }) => content);
const insert = (text: string) => command('insert', 'directmessages', text);

describe('the database stores a message, and its answer is lost', () => {
  it('the message is delivered all the same, once, and shown by lists', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    await sendTo(a, ravi, { content: 'before' });
    const { updatedAt } = await shown(r);
    const lost = proxy.plan('lose-reply', insert('in doubt'));
    const message = { content: 'in doubt', clientMessageId: 'doubtful' };
    expect(await trySend(a, message)).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
    await lost;
    // Nobody sends it again.
    const delivered = await r.waitFor('dm:message_received', ({ content }) => content === 'in doubt');
    await until(async () => (await shown(r)).updatedAt !== updatedAt);
    expect(await shown(r, { updatedAfter: updatedAt })).toMatchObject({ lastSeq: 2, unreadCount: 2 });

    const retried = await persist<DirectMessagePayload>(a, 'dm:send_message', {
      recipientId: ravi.id,
      recipientType: ravi.type,
      ...message,
    });
    expect(retried.id).toBe(delivered.id);
    await barrier(a, ravi, a, r);
    for (const client of [a, r]) expect(contents(client)).toEqual(['before', 'in doubt', 'barrier']);
    expect((await historyOf(r, conversationId)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('a retry delivers it, once', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    await sendTo(a, ravi, { content: 'before' });
    const message = {
      recipientId: ravi.id,
      recipientType: ravi.type,
      content: 'doubt',
      clientMessageId: 'd',
    };
    void proxy.plan('lose-reply', insert('doubt'));
    expect(await trySend(a, message)).toMatchObject({ ok: false });
    const retried = await Promise.all(
      Array.from({ length: 5 }, () => persist<DirectMessagePayload>(a, 'dm:send_message', message)),
    );
    expect(new Set(retried.map(({ seq }) => seq))).toEqual(new Set([2]));
    await barrier(a, ravi, a, r);
    for (const client of [a, r]) expect(contents(client)).toEqual(['before', 'doubt', 'barrier']);
  });
});

describe('a connection to the database says nothing any more', () => {
  it('costs who waits for it an answer in time, and nobody else anything', async () => {
    const [a, b, r] = [await connect(asha), await connect(bela), await connect(ravi)];
    await sendTo(a, ravi, { content: 'before' });
    await sendTo(b, ravi, { content: 'before' });
    const wedged = proxy.plan('wedge', insert('into the void'));
    const waiting = trySend(a, { content: 'into the void', clientMessageId: 'void' });
    await wedged;
    // All of this while the first one waits.
    expect(await trySend(b, { content: 'others go on' })).toMatchObject({ ok: true, data: { seq: 2 } });
    expect(await historyOf(a, conversationId)).toHaveLength(1);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await waiting).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });

    const again = { recipientId: ravi.id, recipientType: ravi.type, content: 'into the void' };
    const stored = await persist<DirectMessagePayload>(a, 'dm:send_message', {
      ...again,
      clientMessageId: 'void',
    });
    expect(stored.seq).toBe(2);
    await barrier(a, ravi, r);
    expect(contents(r).filter((content) => content === 'into the void')).toHaveLength(1);
  });

  it('and two more do not keep others from sending for good', async () => {
    const people = [1, 2, 3, 4].map((i) => user(`w${i}-${run}`));
    const clients = await Promise.all(people.map(connect));
    for (const client of clients) await sendTo(client, ravi, { content: 'before' });
    const [free, ...stuck] = clients.toReversed() as [TestClient, ...TestClient[]];
    const refused = [];
    for (const [i, client] of stuck.entries()) {
      const wedged = proxy.plan('wedge', insert(`stuck ${i}`));
      refused.push(trySend(client, { content: `stuck ${i}` }));
      await wedged;
    }
    const history = { conversationId: `user_w4-${run}_${ravi.id}` };
    expect(await free.send('dm:history', history)).toMatchObject({ ok: true });
    const sent = await persist<DirectMessagePayload>(free, 'dm:send_message', {
      recipientId: ravi.id,
      recipientType: ravi.type,
      content: 'free',
      clientMessageId: 'free',
    });
    expect(sent.seq).toBe(2);
    for (const ack of await Promise.all(refused)) expect(ack).toMatchObject({ ok: false });
  });

  it('lists come back, and say what had been noted into it', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    await sendTo(a, ravi, { content: 'before' });
    await shown(a);
    const wedged = proxy.plan('wedge', command('update', 'directconversations', conversationId));
    await sendTo(a, ravi, { content: 'noted into the void' });
    await wedged;
    expect(await shown(r)).toMatchObject({ lastSeq: 2, lastMessage: 'noted into the void', unreadCount: 2 });
    const conversations = database.collection<{ _id: string; lastSeq: number }>('directconversations');
    await until(async () => (await conversations.findOne({ _id: conversationId }))?.lastSeq === 2);
  });
});

describe('the database refuses one message for good', () => {
  it('those that share its command are stored', async () => {
    const senders = await Promise.all(['p', 'q', 's', 't'].map((id) => connect(user(`${id}${run}`))));
    for (const client of senders) await sendTo(client, ravi);
    const messages = database.collection('directmessages');
    // Stands for whatever a database may have against a document.
    await messages.createIndex(
      { mediaSize: 1 },
      { unique: true, partialFilterExpression: { mediaSize: { $exists: true } } },
    );
    await sendTo(senders[2] as TestClient, ravi, { content: 'takes it', mediaSize: 7 });
    const gate = proxy.hold(insert('gate'));
    const first = trySend(senders[0] as TestClient, { content: 'gate' });
    const open = await gate;
    const acks = await Promise.all([
      ...senders.map((client, i) =>
        trySend(client, { content: `shared ${i}`, ...(i === 2 && { mediaSize: 7 }) }),
      ),
      first,
      Promise.resolve(open()),
    ]);
    await messages.dropIndex('mediaSize_1');
    expect(acks.slice(0, 4).map((ack) => ack?.ok)).toEqual([true, true, false, true]);
    expect(acks[2]).not.toMatchObject({ error: { code: 'UNAVAILABLE' } });
  });
});

describe('the database goes away for a moment', () => {
  it('right after a mark has moved: the writer is told all the same, once, and lists show it', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    await sendTo(a, ravi);
    await sendTo(a, ravi);
    for (const [event, told, upToSeq] of [
      ['dm:mark_delivered', 'dm:messages_delivered', 1],
      ['dm:mark_read', 'dm:messages_read', 2],
    ] as const) {
      const { updatedAt } = await shown(a);
      const cut = proxy.plan('cut', command('update', 'directconversations', conversationId));
      await persist(r, event, { conversationId, upToSeq });
      await cut;
      expect(await a.waitFor(told)).toMatchObject({ upToSeq });
      await persist(r, event, { conversationId, upToSeq });
      await until(async () => (await shown(a)).updatedAt !== updatedAt);
      expect(await shown(a, { updatedAfter: updatedAt })).toMatchObject({ conversationId });
      expect(a.all(told)).toHaveLength(1);
    }
    expect((await shown(a)).peerMarks).toMatchObject({ readSeq: 2, deliveredSeq: 2 });
  });

  it('right after an older message was edited: those who ask for changes see it', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    const { id: messageId } = await sendTo(a, ravi);
    await sendTo(a, ravi);
    const { updatedAt } = await shown(r);
    const cut = proxy.plan('cut', command('update', 'directconversations', conversationId));
    await a.send('dm:edit_message', { messageId, content: 'edited' });
    await cut;
    expect(await r.waitFor('dm:message_updated')).toMatchObject({ content: 'edited' });
    await until(async () => (await shown(r)).updatedAt !== updatedAt);
    expect(await shown(r, { updatedAfter: updatedAt })).toMatchObject({ lastSeq: 2 });
  });
});

describe('what two do at the same moment', () => {
  it('an unread count is never negative', async () => {
    const [a, phone, tablet] = [await connect(asha), await connect(ravi), await connect(ravi)];
    await sendTo(a, ravi);
    await phone.ask('dm:mark_read', { conversationId, upToSeq: 1 });
    // The phone's repeat has read the conversation's end, and not yet where the mark stands.
    const held = proxy.hold(command('find', 'directmarks', conversationId));
    const repeat = phone.ask<ReadMarkPayload>('dm:mark_read', { conversationId, upToSeq: 1 });
    const release = await held;
    for (let i = 0; i < 3; i += 1) await sendTo(a, ravi);
    await tablet.ask('dm:mark_read', { conversationId, upToSeq: 4 });
    release();
    expect(await repeat).toEqual({ conversationId, upToSeq: 4, unreadCount: 0 });
  });

  it('a note of an older message that comes late does not step lastMessage back', async () => {
    const slow = await startApp({ MONGODB_URI: proxy.uri });
    const [a, elsewhere, r] = [await connect(asha), await connectAs(slow.url, asha), await connect(ravi)];
    await sendTo(a, ravi, { content: 'first' });
    await shown(r);
    const held = proxy.hold(command('update', 'directconversations', conversationId));
    await sendTo(elsewhere, ravi, { content: 'older' });
    const release = await held;
    await sendTo(a, ravi, { content: 'newer' });
    const before = await shown(r);
    const conversations = database.collection<{ _id: string; lastSeq: number }>('directconversations');
    const noted = await conversations.findOne({ _id: conversationId });
    expect(noted).toMatchObject({ lastSeq: 3, lastMessage: 'newer' });
    release();
    // The other node's note has been written when its list answers.
    await elsewhere.ask('dm:conversations', {});
    expect(await conversations.findOne({ _id: conversationId })).toEqual(noted);
    expect(await shown(r)).toEqual(before);
  });

  it('lastMessageAt does not step back for a message of a node whose clock is behind', async () => {
    const [a, r] = [await connect(asha), await connect(ravi)];
    await sendTo(a, ravi);
    const { lastMessageAt } = await shown(r);
    const messages = database.collection('directmessages');
    const stored = (await messages.findOne({
      conversationId,
    })) as mongoose.mongo.WithId<mongoose.mongo.Document>;
    await messages.insertOne({
      ...stored,
      _id: new mongoose.Types.ObjectId(),
      seq: 2,
      senderSeq: 2,
      timestamp: new Date((stored.timestamp as Date).getTime() - 5000),
      content: 'of a slow clock',
    });
    expect(await shown(r)).toMatchObject({ lastSeq: 2, lastMessage: 'of a slow clock', lastMessageAt });
  });
});
