import type { DirectConversationsPayload } from '../../../src/contract/direct-message.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterAll } from '../../support/cleanup.js';
import { connectAs } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { FormerDatabase } from '../../support/former-database.js';
import { at, formerMessage as message } from '../../support/former-messages.js';
import { astrologer, user } from '../../support/token.js';

let app: TestApp;
let former: FormerDatabase;

beforeAll(async () => {
  app = await startApp();
  former = await FormerDatabase.open(app.mongoUri, closeAfterAll);
});

describe('read and delivered marks of former messages', () => {
  it('keeps what was read and delivered as marks, which cover everything before them', async () => {
    const [u, a] = [user('marked'), astrologer('marks')];
    const conversationId = 'user_marked_marks';
    await former.messages.insertMany([
      message(conversationId, a, u, 1),
      message(conversationId, u, a, 2, { status: 'delivered' }),
      message(conversationId, a, u, 3, { status: 'read', readAt: at(40) }),
      message(conversationId, a, u, 4, { status: 'delivered' }),
      message(conversationId, a, u, 5),
    ]);
    await former.migrate();
    const marks = await former.collection('directmarks').find({ conversationId }).sort({ _id: 1 }).toArray();
    expect(marks).toEqual([
      {
        _id: `astrologer:marks ${conversationId}`,
        conversationId,
        party: { id: 'marks', type: 'astrologer' },
        readSeq: 0,
        readOthers: 0,
        readAt: null,
        deliveredSeq: 2,
      },
      {
        _id: `user:marked ${conversationId}`,
        conversationId,
        party: { id: 'marked', type: 'user' },
        readSeq: 3,
        readOthers: 2,
        readAt: at(40),
        deliveredSeq: 4,
      },
    ]);
  });

  it('does not mark as read what the server had stored before', async () => {
    const [u, a] = [user('early'), astrologer('bird')];
    const conversationId = 'user_early_bird';
    const client = await connectAs(app.url, a);
    for (const content of ['unread 1', 'unread 2']) await sendTo(client, u, { content });
    await former.messages.insertOne(message(conversationId, a, u, 1, { status: 'read' }));
    const report = await former.migrate();
    expect(report.conversations.faults).toMatchObject({ started: 1 });
    expect(await former.messages.findOne({ conversationId, seq: 3 })).toMatchObject({
      senderSeq: 3,
      content: 'at 1',
    });
    expect(
      await former.collection('directmarks').countDocuments({ conversationId, readSeq: { $gt: 0 } }),
    ).toBe(0);
    const conversation = await former.conversations.findOne({ _id: conversationId as never });
    expect(conversation).toMatchObject({ lastSeq: 3, lastMessage: 'at 1' });
    const stored = await former.messages.findOne({ conversationId, seq: 2 });
    const timestamp = stored?.timestamp as Date;
    expect(timestamp.getTime()).toBeGreaterThan(at(1).getTime());
    expect([conversation?.lastMessageAt, conversation?.activeAt]).toEqual([timestamp, timestamp]);
  });

  it('counts former messages that were read as read, whatever a server had stored before them', async () => {
    const [u, a] = [user('counting'), astrologer('counted')];
    const conversationId = 'user_counting_counted';
    const [asha, ravi] = [await connectAs(app.url, u), await connectAs(app.url, a)];
    const say = () => sendTo(ravi, u, { content: 'new' });
    for (let i = 0; i < 3; i += 1) await say();
    await asha.ask('dm:mark_read', { conversationId, upToSeq: 1 });
    await former.messages.insertMany([
      message(conversationId, a, u, 1, { status: 'read' }),
      message(conversationId, u, a, 2),
      message(conversationId, a, u, 3, { status: 'read' }),
      message(conversationId, a, u, 4),
    ]);
    await former.migrate();
    const look = async () => {
      const { conversations } = await asha.ask<DirectConversationsPayload>('dm:conversations', {});
      const found = conversations.find((one) => one.conversationId === conversationId);
      return [found?.unreadCount, found?.marks.readSeq];
    };
    // Two of the new ones and one of the former.
    expect(await look()).toEqual([3, 1]);
    // What is read never makes more unread.
    await asha.ask('dm:mark_read', { conversationId, upToSeq: 2 });
    expect(await look()).toEqual([3, 2]);
    expect(await asha.ask('dm:mark_read', { conversationId, upToSeq: 7 })).toMatchObject({ unreadCount: 0 });
    await say();
    expect(await look()).toEqual([1, 7]);
  });

  it('puts the mark on the newest former message that was read when all new ones before it were', async () => {
    const [u, a] = [user('done'), astrologer('doer')];
    const conversationId = 'user_done_doer';
    const [asha, ravi] = [await connectAs(app.url, u), await connectAs(app.url, a)];
    await sendTo(ravi, u, { content: 'new' });
    await asha.ask('dm:mark_read', { conversationId, upToSeq: 1 });
    await former.messages.insertMany([
      message(conversationId, a, u, 1, { status: 'read', readAt: at(9) }),
      message(conversationId, a, u, 2, { status: 'delivered' }),
    ]);
    await former.migrate();
    expect(
      await former.collection('directmarks').findOne({ _id: `user:done ${conversationId}` as never }),
    ).toMatchObject({ readSeq: 2, readOthers: 2, deliveredSeq: 3 });
  });
});
