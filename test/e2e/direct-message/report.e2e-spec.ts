import { Types } from 'mongoose';
import type { ReportReceiptPayload } from '../../../src/contract/direct-message.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { barrier, MISSING_ID, refusal, sendTo } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { admin, astrologer, user } from '../../support/token.js';

let started: TestApp;
let url: string;

beforeAll(async () => {
  started = await startApp();
  url = started.url;
});

const report = (client: TestClient, messageId: string, reason = 'rude') =>
  client.ask<ReportReceiptPayload>('dm:report', { messageId, reason });
const storedReports = (messageId: string) =>
  collectionOf(started, 'dmreports')
    .find({ messageId: new Types.ObjectId(messageId) })
    .sort({ _id: 1 })
    .toArray();

describe('dm:report', () => {
  it('is stored with the message as it is, and reaches every admin and nobody else', async () => {
    const [a, r1, r2, root, boss] = await connectAll(url, asha, ravi, ravi, admin('root'), admin('boss'));
    for (const client of [a, r1, r2]) await client.ask('dm:join_conversation', { conversationId });
    const sent = await sendTo(a, ravi, { content: 'you fool' });
    const receipt = await report(r1, sent.id, ' insults me 😡 ');
    expect(receipt).toEqual({
      reportId: expect.stringMatching(/^[0-9a-f]{24}$/),
      messageId: sent.id,
      conversationId,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    const created = {
      ...receipt,
      reason: ' insults me 😡 ',
      reportedBy: ravi.id,
      reportedByType: 'astrologer',
      message: sent,
    };
    expect(await root.waitFor('dm:report_created')).toEqual(created);
    expect(await boss.waitFor('dm:report_created')).toEqual(created);
    await barrier(a, ravi, a, r1, r2);
    await barrier(a, admin(), root, boss);
    for (const client of [a, r1, r2]) expect(client.all('dm:report_created')).toEqual([]);
    for (const client of [root, boss]) expect(client.all('dm:report_created')).toHaveLength(1);
  });

  it('keeps the message as it was, whatever becomes of it', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi, { content: 'you fool', mediaUrl: 'https://media.example/1.jpg' });
    await report(r, id);
    await a.ask('dm:edit_message', { messageId: id, content: 'you friend' });
    await a.ask('dm:delete_message', { messageId: id });
    expect(await storedReports(id)).toMatchObject([
      { reason: 'rude', message: { content: 'you fool', mediaUrl: 'https://media.example/1.jpg' } },
    ]);
  });

  it('may be repeated, 20 times at once and later: stored and sent once, acked with the first', async () => {
    const [a, r1, r2, root] = await connectAll(url, asha, ravi, ravi, admin('root'));
    const { id } = await sendTo(a, ravi);
    const receipts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => report(i % 2 === 0 ? r1 : r2, id, `reason ${i}`)),
    );
    receipts.push(await report(r1, id, 'and another thing'));
    expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
    await barrier(a, admin(), root);
    const about = root.all('dm:report_created').filter(({ messageId }) => messageId === id);
    expect(about.map(({ reportId }) => reportId)).toEqual([receipts[0]?.reportId]);
    expect(await storedReports(id)).toMatchObject([{ reason: about[0]?.reason }]);
  });

  it('each of the parties, and the admins as one, may report a message', async () => {
    const [a, r, root, boss] = await connectAll(url, asha, ravi, admin('root'), admin('boss'));
    const { id } = await sendTo(a, ravi);
    const receipts = [await report(a, id), await report(r, id), await report(root, id)];
    expect(new Set(receipts.map(({ reportId }) => reportId)).size).toBe(3);
    expect(await report(boss, id)).toEqual(receipts[2]);
    expect(await storedReports(id)).toMatchObject([
      { reporterId: asha.id },
      { reporterId: ravi.id },
      { reporterId: 'admin', reporterType: 'admin' },
    ]);
  });

  it('of a message that was deleted in time to hide it tells at least of its sender', async () => {
    const [a, r, root] = await connectAll(url, asha, ravi, admin('root'));
    const { id } = await sendTo(a, ravi, { content: 'you fool' });
    await a.ask('dm:delete_message', { messageId: id });
    await report(r, id, 'it said: you fool');
    const created = await root.waitFor('dm:report_created', ({ messageId }) => messageId === id);
    expect(created).toMatchObject({
      reason: 'it said: you fool',
      message: { senderId: asha.id, content: '', deletedAt: expect.any(String) },
    });
  });

  it('takes a reason of up to 1,000 characters', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi);
    await report(r, id, '👎'.repeat(1000));
    expect(await storedReports(id)).toMatchObject([{ reason: '👎'.repeat(1000) }]);
  });

  describe('refuses', () => {
    it.each([
      ['no reason', 'reason', { reason: undefined }],
      ['null for a reason', 'reason', { reason: null }],
      ['an empty reason', 'reason', { reason: '' }],
      ['a blank reason', 'reason', { reason: ' \n' }],
      ['1,001 characters', 'reason', { reason: 'x'.repeat(1001) }],
      ['1,001 emoji', 'reason', { reason: '👎'.repeat(1001) }],
      ['a query for a reason', 'reason', { reason: { $ne: null } }],
      ['no message', 'messageId', { messageId: undefined }],
      ['a messageId that is none', 'messageId', { messageId: 'made-up' }],
      ['a query for a message', 'messageId', { messageId: { $ne: null } }],
    ])('%s', async (_, field, change) => {
      const r = await connectAs(url, ravi);
      const payload = { messageId: MISSING_ID, reason: 'rude', ...change };
      expect(await refusal(r, 'dm:report', payload)).toMatchObject({
        code: 'BAD_REQUEST',
        details: [{ field }],
      });
    });

    it('an outsider, who learns nothing', async () => {
      const [a, root] = [await connectAs(url, asha), await connectAs(url, admin('root'))];
      const { id } = await sendTo(a, ravi);
      for (const person of [mallory, astrologer(asha.id), user(ravi.id)]) {
        const m = await connectAs(url, person);
        const missing = await refusal(m, 'dm:report', { messageId: MISSING_ID, reason: 'rude' });
        expect(missing).toMatchObject({ code: 'NOT_FOUND' });
        expect(await refusal(m, 'dm:report', { messageId: id, reason: 'rude' })).toEqual(missing);
      }
      await barrier(a, admin(), root);
      expect(root.all('dm:report_created')).toEqual([]);
      expect(await storedReports(id)).toEqual([]);
    });
  });
});
