import type { MessageDeletedPayload } from '../../../src/contract/direct-message.js';
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
import { admin, astrologer, type Person, user } from '../../support/token.js';

let started: TestApp;
let url: string;

beforeAll(async () => {
  started = await startApp();
  url = started.url;
});

const remove = (client: TestClient, messageId: string) =>
  client.ask<MessageDeletedPayload>('dm:delete_message', { messageId });
const storedIn = (name: string, filter: object) => collectionOf(started, name).find(filter).toArray();

describe('dm:delete_message', () => {
  it('leaves a tombstone: content, media, reply and reactions are gone, its place is not', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const first = await sendTo(a, ravi, { content: 'first' });
    const sent = await sendTo(a, ravi, {
      content: 'secret caption',
      messageType: 'video',
      mediaUrl: 'https://media.example/secret.mp4',
      thumbnailUrl: 'https://media.example/secret.jpg',
      mediaSize: 10,
      mediaDuration: 1.5,
      replyToId: first.id,
      clientMessageId: 'c-1',
    });
    await a.ask('dm:edit_message', { messageId: sent.id, content: 'secret caption, edited' });
    await r.ask('dm:react', { messageId: sent.id, emoji: '👍' });
    const last = await sendTo(a, ravi, { content: 'last' });
    const deleted = await remove(a, sent.id);
    expect(deleted).toEqual({
      messageId: sent.id,
      conversationId,
      seq: 2,
      deletedBy: asha.id,
      deletedByType: 'user',
      deletedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      revision: 3,
    });
    expect(await historyOf(r, conversationId)).toEqual([
      first,
      {
        ...sent,
        content: '',
        messageType: 'text',
        mediaUrl: null,
        mediaSize: null,
        mediaDuration: null,
        thumbnailUrl: null,
        replyToId: null,
        editedAt: null,
        deletedAt: deleted.deletedAt,
        reactions: [],
        revision: 3,
      },
      last,
    ]);
    expect(JSON.stringify(await storedIn('directmessages', { conversationId }))).not.toContain('secret');
  });

  it('is announced to everybody once: both parties, their other devices, and who has the conversation open', async () => {
    const { a1, everybody, sent } = await openToEverybody(url, { asha, ravi, conversationId });
    const deleted = await remove(a1, sent.id);
    await barrier(a1, ravi, ...everybody);
    for (const client of everybody) expect(client.all('dm:message_deleted')).toEqual([deleted]);
  });

  it('of the newest message empties what the conversation says of it, of an older one it does not', async () => {
    const a = await connectAs(url, asha);
    const first = await sendTo(a, ravi, { content: 'first' });
    const second = await sendTo(a, ravi, { content: 'second' });
    await remove(a, first.id);
    expect(await storedIn('directconversations', { _id: conversationId })).toMatchObject([
      { lastMessage: 'second' },
    ]);
    await remove(a, second.id);
    expect(await storedIn('directconversations', { _id: conversationId })).toMatchObject([
      { lastMessage: '', lastSeq: 2 },
    ]);
    const third = await sendTo(a, ravi, { content: 'third' });
    expect(third.seq).toBe(3);
  });

  it('may be repeated, at once and later: the same tombstone, announced once', async () => {
    const [a1, a2, r] = await connectAll(url, asha, asha, ravi);
    const root = await connectAs(url, admin('root'));
    const { id } = await sendTo(a1, ravi);
    const all = await Promise.all(
      Array.from({ length: 21 }, (_, i) => remove([a1, a2, root][i % 3] as TestClient, id)),
    );
    all.push(await remove(a1, id), await remove(root, id));
    expect(new Set(all.map((deleted) => JSON.stringify(deleted))).size).toBe(1);
    await barrier(a1, ravi, a1, a2, r);
    for (const client of [a1, a2, r]) expect(client.all('dm:message_deleted')).toEqual([all[0]]);
  });

  it('a clientMessageId that was used stays used: its retry finds the tombstone', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi, { content: 'once', clientMessageId: 'c-1' });
    await remove(a, id);
    const retried = await sendTo(a, ravi, { content: 'once', clientMessageId: 'c-1' });
    expect(retried).toMatchObject({ id, content: '', deletedAt: expect.any(String) });
    await barrier(a, ravi, r);
    expect(r.all('dm:message_received')).toHaveLength(2);
  });

  it('may be done long after the time for edits is over', async () => {
    const { url: strictUrl } = await startApp({ DM_EDIT_WINDOW_SECONDS: '0' });
    const a = await connectAs(strictUrl, asha);
    const { id } = await sendTo(a, ravi);
    expect(await remove(a, id)).toMatchObject({ messageId: id });
  });

  it('an admin may delete what others said to each other, and what was said to the admins', async () => {
    const [a, r, root] = await connectAll(url, asha, ravi, admin('root'));
    const between = await sendTo(a, ravi);
    const deleted = await remove(root, between.id);
    expect(deleted).toMatchObject({ messageId: between.id, deletedBy: 'admin', deletedByType: 'admin' });
    expect(await a.waitFor('dm:message_deleted')).toEqual(deleted);
    expect(await r.waitFor('dm:message_deleted')).toEqual(deleted);
    const toAdmins = await sendTo(a, admin());
    expect(await remove(root, toAdmins.id)).toMatchObject({ messageId: toAdmins.id, deletedBy: 'admin' });
  });

  describe('refuses', () => {
    it.each([
      ['no messageId', {}],
      ['a messageId that is none', { messageId: 'made-up' }],
      ['a query', { messageId: { $gt: '' } }],
      ['a list', { messageId: [MISSING_ID] }],
    ])('%s', async (_, payload) => {
      const a = await connectAs(url, asha);
      expect(await refusal(a, 'dm:delete_message', payload)).toMatchObject({
        code: 'BAD_REQUEST',
        details: [{ field: 'messageId' }],
      });
    });

    it('the recipient, before and after it is deleted', async () => {
      const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
      const { id } = await sendTo(a, ravi, { content: 'mine' });
      expect(await refusal(r, 'dm:delete_message', { messageId: id })).toMatchObject({ code: 'FORBIDDEN' });
      expect(await historyOf(r, conversationId)).toMatchObject([{ content: 'mine', deletedAt: null }]);
      await remove(a, id);
      expect(await refusal(r, 'dm:delete_message', { messageId: id })).toMatchObject({ code: 'FORBIDDEN' });
    });

    it('a party who did not write the message to the admins', async () => {
      const [a, root] = [await connectAs(url, asha), await connectAs(url, admin('root'))];
      const { id } = await sendTo(root, asha);
      expect(await refusal(a, 'dm:delete_message', { messageId: id })).toMatchObject({ code: 'FORBIDDEN' });
    });

    it('an outsider, who learns nothing and gets nothing', async () => {
      const [a, r, root] = await connectAll(url, asha, ravi, admin('root'));
      const { id } = await sendTo(a, ravi);
      const outsiders = [mallory, astrologer(asha.id), user(ravi.id)];
      const clients = await Promise.all(outsiders.map((person) => connectAs(url, person)));
      const missing = await refusal(a, 'dm:delete_message', { messageId: MISSING_ID });
      expect(missing).toMatchObject({ code: 'NOT_FOUND' });
      for (const client of clients)
        expect(await refusal(client, 'dm:delete_message', { messageId: id })).toEqual(missing);
      await remove(a, id);
      await r.waitFor('dm:message_deleted');
      for (const [index, client] of clients.entries()) {
        expect(await refusal(client, 'dm:delete_message', { messageId: id })).toEqual(missing);
        await barrier(root, outsiders[index] as Person, client);
        expect(client.all('dm:message_deleted')).toEqual([]);
      }
    });
  });
});
