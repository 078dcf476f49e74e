import type { DirectHistoryPayload, DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { admin, astrologer, user } from '../../support/token.js';

const COUNT = 25;
const asha = user('asha');
const ravi = astrologer('ravi');
const conversationId = 'user_asha_ravi';

let url: string;

beforeAll(async () => {
  ({ url } = await startApp());
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('dm:history', () => {
  let client: TestClient;
  let sent: DirectMessagePayload[];

  beforeAll(async () => {
    const writer = await connectAs(url, asha);
    sent = [];
    for (let i = 1; i <= COUNT; i += 1) {
      sent.push(await sendTo(writer, ravi, { content: `m${i}` }));
    }
  });
  beforeEach(async () => {
    client = await connectAs(url, ravi);
  });

  const seqs = async (window: object) => {
    const { messages, ...rest } = await client.ask<DirectHistoryPayload>('dm:history', {
      conversationId,
      ...window,
    });
    return { seqs: messages.map(({ seq }) => seq), ...rest };
  };

  it('gives the messages as they were sent, in the ack and in the reply event', async () => {
    const acked = await client.ask<DirectHistoryPayload>('dm:history', { conversationId, limit: 100 });
    expect(acked).toEqual({
      conversationId,
      messages: sent,
      total: COUNT,
      page: 1,
      limit: 100,
      hasMore: false,
    });
    expect(await client.waitFor('dm:history')).toEqual(acked);
  });

  it('emits the reply event to those who ask for no ack, and to nobody else', async () => {
    const other = await connectAs(url, ravi);
    client.tell('dm:history', { conversationId });
    expect((await client.waitFor('dm:history')).messages).toHaveLength(COUNT);
    await other.send('dm:leave_conversation', { conversationId });
    expect(other.all('dm:history')).toHaveLength(0);
  });

  it('pages from the newest back', async () => {
    expect(await seqs({ limit: 10 })).toEqual({
      conversationId,
      seqs: range(16, 25),
      total: COUNT,
      page: 1,
      limit: 10,
      hasMore: true,
    });
    expect(await seqs({ limit: 10, page: 2 })).toMatchObject({ seqs: range(6, 15), page: 2, hasMore: true });
    expect(await seqs({ limit: 10, page: 3 })).toMatchObject({ seqs: range(1, 5), page: 3, hasMore: false });
    expect(await seqs({ limit: 10, page: 4 })).toMatchObject({
      seqs: [],
      total: COUNT,
      page: 4,
      hasMore: false,
    });
    expect(await seqs({ limit: 25 })).toMatchObject({ hasMore: false });
    expect(await seqs({ limit: 5, page: 5 })).toMatchObject({ seqs: range(1, 5), hasMore: false });
    expect(await seqs({ page: 2 ** 31 - 1, limit: 100 })).toMatchObject({ seqs: [] });
  });

  it('defaults to the newest 50', async () => {
    expect(await seqs({})).toMatchObject({ seqs: range(1, 25), page: 1, limit: 50 });
    expect(await seqs({ page: null, limit: null, beforeSeq: null, afterSeq: null })).toMatchObject({
      limit: 50,
    });
  });

  it('reads what came after a seq: catching up', async () => {
    expect(await seqs({ afterSeq: 20 })).toMatchObject({ seqs: range(21, 25), total: COUNT, hasMore: false });
    expect(await seqs({ afterSeq: 0, limit: 10 })).toMatchObject({
      seqs: range(1, 10),
      total: COUNT,
      hasMore: true,
    });
    expect(await seqs({ afterSeq: 15, limit: 10 })).toMatchObject({ seqs: range(16, 25), hasMore: false });
    expect(await seqs({ afterSeq: 25 })).toMatchObject({ seqs: [], total: COUNT, hasMore: false });
    expect(await seqs({ afterSeq: 1000 })).toMatchObject({ seqs: [], total: COUNT, hasMore: false });
  });

  it('reads what came before a seq: scrolling back', async () => {
    expect(await seqs({ beforeSeq: 11, limit: 5 })).toMatchObject({
      seqs: range(6, 10),
      total: COUNT,
      hasMore: true,
    });
    expect(await seqs({ beforeSeq: 6, limit: 5 })).toMatchObject({ seqs: range(1, 5), hasMore: false });
    expect(await seqs({ beforeSeq: 1 })).toMatchObject({ seqs: [], hasMore: false });
  });

  it('is open to both participants and to admins', async () => {
    for (const person of [asha, ravi, admin('root')]) {
      const reader = await connectAs(url, person);
      expect((await reader.ask<DirectHistoryPayload>('dm:history', { conversationId })).total).toBe(COUNT);
    }
  });

  it('is NOT_FOUND for everybody else, just like a conversation that does not exist', async () => {
    for (const outsider of [
      user('mallory'),
      astrologer('mallory'),
      user('ravi'),
      astrologer('asha'),
      user('asha_ravi'),
    ]) {
      const reader = await connectAs(url, outsider);
      const existing = await reader.send('dm:history', { conversationId });
      const missing = await reader.send('dm:history', { conversationId: 'user_nobody_noone' });
      expect(existing).toEqual({
        ok: false,
        error: { code: 'NOT_FOUND', message: expect.any(String), retryable: false },
      });
      expect(missing).toEqual(existing);
      reader.tell('dm:history', { conversationId });
      expect(await reader.waitFor('error')).toMatchObject({ event: 'dm:history', code: 'NOT_FOUND' });
      expect(reader.all('dm:history')).toHaveLength(0);
    }
  });

  it('is empty at once for a pair that has not spoken', async () => {
    const empty = { messages: [], total: 0, page: 1, limit: 50, hasMore: false };
    expect(await client.ask('dm:history', { conversationId: 'user_new_ravi' })).toEqual({
      conversationId: 'user_new_ravi',
      ...empty,
    });
    expect(await client.ask('dm:history', { conversationId: 'admin_ravi' })).toEqual({
      conversationId: 'admin_ravi',
      ...empty,
    });
    const staff = await connectAs(url, admin('root'));
    expect(await staff.ask('dm:history', { conversationId: 'admin_someone' })).toMatchObject(empty);
  });

  it.each([
    ['conversationId', { conversationId: undefined }],
    ['conversationId', { conversationId: { $ne: null } }],
    ['conversationId', { conversationId: 'x'.repeat(513) }],
    ['page', { page: 0 }],
    ['page', { page: 1.5 }],
    ['page', { page: '1' }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 101 }],
    ['limit', { limit: { $gt: 0 } }],
    ['beforeSeq', { beforeSeq: 0 }],
    ['afterSeq', { afterSeq: -1 }],
    ['afterSeq', { afterSeq: 1, beforeSeq: 9 }],
    ['page', { page: 2 ** 31 }],
    ['beforeSeq', { beforeSeq: 1.5 }],
    ['beforeSeq', { beforeSeq: '9' }],
  ])('refuses a bad %s (%j)', async (field, change) => {
    const ack = await client.send('dm:history', { conversationId, ...change });
    expect(ack).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', retryable: false } });
    expect(ack).toHaveProperty('error.details.0.field', field);
    client.tell('dm:history', { conversationId, ...change });
    expect(await client.waitFor('error')).toMatchObject({
      event: 'dm:history',
      code: 'BAD_REQUEST',
      details: [{ field }],
    });
  });
});
