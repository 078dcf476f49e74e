import { Types } from 'mongoose';
import type { DirectMessagePayload, MessageDeletedPayload } from '../../../src/contract/direct-message.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import {
  barrier,
  historyOf,
  MISSING_ID,
  openToEverybody,
  refusal,
  sendTo,
} from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { admin, astrologer, user } from '../../support/token.js';

const MINUTE_MS = 60_000;

let started: TestApp;
let url: string;

beforeAll(async () => {
  started = await startApp();
  url = started.url;
});

const conversation = () =>
  collectionOf<{ _id: string }>(started, 'directconversations').findOne({ _id: conversationId });
const edit = (client: TestClient, messageId: string, content: string) =>
  client.ask<DirectMessagePayload>('dm:edit_message', { messageId, content });

function setInDatabase(messageId: string, fields: Record<string, unknown>): Promise<unknown> {
  return collectionOf(started, 'directmessages').updateOne(
    { _id: new Types.ObjectId(messageId) },
    { $set: fields },
  );
}

describe('dm:edit_message', () => {
  it('replaces the text for everybody: both parties, their other devices, and who has the conversation open', async () => {
    const pair = { asha, ravi, conversationId };
    const { a1, r2, everybody, sent } = await openToEverybody(url, pair, { content: 'helo' });
    const acked = await edit(a1, sent.id, 'hello');
    expect(acked).toEqual({
      ...sent,
      content: 'hello',
      editedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      revision: 1,
    });
    await barrier(a1, ravi, ...everybody);
    for (const client of everybody) expect(client.all('dm:message_updated')).toEqual([acked]);
    expect(await historyOf(r2, conversationId)).toEqual([acked, expect.anything()]);
  });

  it('of the newest message shows in the conversation, of an older one it does not', async () => {
    const a = await connectAs(url, asha);
    const first = await sendTo(a, ravi, { content: 'first' });
    const second = await sendTo(a, ravi, { content: 'second' });
    await edit(a, second.id, 'second, edited');
    await edit(a, first.id, 'first, edited');
    expect(await conversation()).toMatchObject({ lastSeq: 2, lastMessage: 'second, edited' });
  });

  it('may be repeated: the same text is acked, changes nothing and is not sent', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi, { content: 'one' });
    expect(await edit(a, id, 'one')).toMatchObject({ editedAt: null, revision: 0 });
    const edited = await edit(a, id, 'two');
    expect(await edit(a, id, 'two')).toEqual(edited);
    const acks = await Promise.all(Array.from({ length: 20 }, () => edit(a, id, 'three')));
    expect(new Set(acks.map((ack) => JSON.stringify(ack))).size).toBe(1);
    await barrier(a, ravi, a, r);
    for (const client of [a, r])
      expect(client.all('dm:message_updated').map(({ content }) => content)).toEqual(['two', 'three']);
  });

  it('a repeat makes up for a node that died before it told the conversation', async () => {
    const a = await connectAs(url, asha);
    const { id } = await sendTo(a, ravi, { content: 'one' });
    await edit(a, id, 'two');
    await collectionOf<{ _id: string }>(started, 'directconversations').updateOne(
      { _id: conversationId },
      { $set: { lastMessage: 'one', lastRevision: 0 } },
    );
    await edit(a, id, 'two');
    expect(await conversation()).toMatchObject({ lastMessage: 'two' });
  });

  it('edits of one socket are made in the order in which they came', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi, { content: '-' });
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    const acks = await Promise.all(texts.map((content) => edit(a, id, content)));
    expect(acks.map(({ content, revision }) => [content, revision])).toEqual(
      texts.map((content, i) => [content, i + 1]),
    );
    const pushed = await r.waitForCount('dm:message_updated', 20);
    expect(pushed.map(({ content }) => content)).toEqual(texts);
  });

  it('two editors: every edit is announced once, and the highest revision is what stays', async () => {
    const [a1, a2, r] = await connectAll(url, asha, asha, ravi);
    const { id } = await sendTo(a1, ravi, { content: '-' });
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => edit(i % 2 === 0 ? a1 : a2, id, `text ${i}`)),
    );
    const revisions = acks.map(({ revision }) => revision).toSorted((x, y) => x - y);
    expect(revisions).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const pushed = await r.waitForCount('dm:message_updated', 20);
    expect(pushed.toSorted((x, y) => x.revision - y.revision)).toEqual(
      acks.toSorted((x, y) => x.revision - y.revision),
    );
    const [stored] = await historyOf(r, conversationId);
    expect(stored).toEqual(acks.find(({ revision }) => revision === 20));
    expect(await conversation()).toMatchObject({ lastMessage: stored?.content });
  });

  it('against a deletion: a tombstone never has content', async () => {
    const [a1, a2, r] = await connectAll(url, asha, asha, ravi);
    for (let i = 0; i < 15; i += 1) {
      const { id } = await sendTo(a1, ravi, { content: 'secret' });
      const [deleted] = await Promise.all([
        a2.ask<MessageDeletedPayload>('dm:delete_message', { messageId: id }),
        ...['x', 'y', 'z'].map(async (content) => {
          const ack = await a1.send('dm:edit_message', { messageId: id, content });
          if (!ack.ok) expect(ack.error).toMatchObject({ code: 'CONFLICT', details: { state: 'deleted' } });
        }),
      ]);
      const stored = (await historyOf(r, conversationId)).at(-1);
      expect(stored).toMatchObject({ id, content: '', editedAt: null, deletedAt: deleted.deletedAt });
      expect(await conversation()).toMatchObject({ lastMessage: '' });
      const updates = r.all('dm:message_updated').filter((message) => message.id === id);
      expect(updates.every(({ revision }) => revision < deleted.revision)).toBe(true);
    }
  });

  it('changes the text beside media, which may be taken away', async () => {
    const a = await connectAs(url, asha);
    const mediaUrl = 'https://media.example/1.jpg';
    const { id } = await sendTo(a, ravi, { content: 'look', messageType: 'image', mediaUrl });
    expect(await edit(a, id, 'look here')).toMatchObject({ content: 'look here', mediaUrl });
    expect(await edit(a, id, '')).toMatchObject({ content: '', mediaUrl, messageType: 'image' });
  });

  it('keeps text as it was typed, whatever it looks like to a database', async () => {
    const a = await connectAs(url, asha);
    const { id } = await sendTo(a, ravi);
    for (const content of ['$content', ' {"$ne":1}\n👋🏽 ', '👋'.repeat(4000)])
      expect((await edit(a, id, content)).content).toBe(content);
  });

  it('any admin edits what the admins said', async () => {
    const [root, boss] = [await connectAs(url, admin('root')), await connectAs(url, admin('boss'))];
    const { id } = await sendTo(root, ravi, { content: 'welcom' });
    const edited = await edit(boss, id, 'welcome');
    expect(edited).toMatchObject({ content: 'welcome', senderId: 'admin' });
    expect(await root.waitFor('dm:message_updated')).toEqual(edited);
  });

  it('is possible for 15 minutes; a repeat of what was done in time is no fault later', async () => {
    const a = await connectAs(url, asha);
    const { id } = await sendTo(a, ravi, { content: 'one' });
    await setInDatabase(id, { timestamp: new Date(Date.now() - 14 * MINUTE_MS) });
    expect(await edit(a, id, 'two')).toMatchObject({ content: 'two' });
    await setInDatabase(id, { timestamp: new Date(Date.now() - 15 * MINUTE_MS) });
    expect(await refusal(a, 'dm:edit_message', { messageId: id, content: 'three' })).toMatchObject({
      code: 'CONFLICT',
      details: { state: 'edit_window_over' },
    });
    expect(await edit(a, id, 'two')).toMatchObject({ content: 'two', revision: 1 });
    expect(await historyOf(a, conversationId)).toMatchObject([{ content: 'two' }]);
  });

  it('is never possible with DM_EDIT_WINDOW_SECONDS=0', async () => {
    const { url: strictUrl } = await startApp({ DM_EDIT_WINDOW_SECONDS: '0' });
    const a = await connectAs(strictUrl, asha);
    const { id } = await sendTo(a, ravi);
    expect(await refusal(a, 'dm:edit_message', { messageId: id, content: 'other' })).toMatchObject({
      details: { state: 'edit_window_over' },
    });
  });

  describe('refuses', () => {
    it.each([
      ['no messageId', 'messageId', { messageId: undefined }],
      ['a messageId that is none', 'messageId', { messageId: 'made-up' }],
      ['a query for a messageId', 'messageId', { messageId: { $ne: null } }],
      ['no content', 'content', { content: undefined }],
      ['null for content', 'content', { content: null }],
      ['a number for content', 'content', { content: 7 }],
      ['a query for content', 'content', { content: { $gt: '' } }],
      ['4,001 characters', 'content', { content: 'x'.repeat(4001) }],
      ['4,001 emoji', 'content', { content: '👋'.repeat(4001) }],
    ])('%s', async (_, field, change) => {
      const a = await connectAs(url, asha);
      const { id } = await sendTo(a, ravi);
      const payload = { messageId: id, content: 'other', ...change };
      expect(await refusal(a, 'dm:edit_message', payload)).toMatchObject({
        code: 'BAD_REQUEST',
        details: [{ field }],
      });
    });

    it('no text without media', async () => {
      const a = await connectAs(url, asha);
      const { id } = await sendTo(a, ravi);
      for (const content of ['', ' \n'])
        expect(await refusal(a, 'dm:edit_message', { messageId: id, content })).toMatchObject({
          code: 'BAD_REQUEST',
          details: [{ field: 'content' }],
        });
    });

    it('the recipient, and an admin who reads along', async () => {
      const [a, r, root] = await connectAll(url, asha, ravi, admin('root'));
      const { id } = await sendTo(a, ravi, { content: 'mine' });
      for (const client of [r, root])
        expect(await refusal(client, 'dm:edit_message', { messageId: id, content: 'yours' })).toMatchObject({
          code: 'FORBIDDEN',
        });
      expect(await historyOf(a, conversationId)).toMatchObject([{ content: 'mine', revision: 0 }]);
    });

    it('a deleted message, and a call log', async () => {
      const a = await connectAs(url, asha);
      const { id } = await sendTo(a, ravi);
      await setInDatabase(id, { messageType: 'call_log' });
      expect(await refusal(a, 'dm:edit_message', { messageId: id, content: 'other' })).toMatchObject({
        code: 'CONFLICT',
        details: { state: 'not_editable' },
      });
      await a.ask('dm:delete_message', { messageId: id });
      for (const content of ['other', ''])
        expect(await refusal(a, 'dm:edit_message', { messageId: id, content })).toMatchObject({
          code: 'CONFLICT',
          details: { state: 'deleted' },
        });
    });

    it('an outsider, who learns nothing and gets nothing', async () => {
      const people = [mallory, astrologer(mallory.id), astrologer(asha.id), user(ravi.id)];
      const [a, r, root] = await connectAll(url, asha, ravi, admin('root'));
      const { id } = await sendTo(a, ravi, { content: 'mine' });
      for (const person of people) {
        const m = await connectAs(url, person);
        const existing = await refusal(m, 'dm:edit_message', { messageId: id, content: 'yours' });
        const same = await refusal(m, 'dm:edit_message', { messageId: id, content: 'mine' });
        const missing = await refusal(m, 'dm:edit_message', {
          messageId: MISSING_ID,
          content: 'yours',
        });
        expect(existing).toMatchObject({ code: 'NOT_FOUND' });
        expect([existing, same]).toEqual([missing, missing]);
        await edit(a, id, `still mine, ${person.type}`);
        await r.waitFor('dm:message_updated', ({ content }) => content === `still mine, ${person.type}`);
        await barrier(root, person, m);
        expect(m.all('dm:message_updated')).toEqual([]);
      }
    });

    it('a message that a former backend left without a seq', async () => {
      const a = await connectAs(url, asha);
      const { insertedId } = await collectionOf(started, 'directmessages').insertOne({
        conversationId,
        senderId: asha.id,
        senderType: 'user',
        content: 'old',
        timestamp: new Date(),
      });
      const messageId = String(insertedId);
      expect(await refusal(a, 'dm:edit_message', { messageId, content: 'new' })).toMatchObject({
        code: 'NOT_FOUND',
      });
    });
  });
});
