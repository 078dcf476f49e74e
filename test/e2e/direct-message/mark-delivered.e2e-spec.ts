import type {
  DirectConversationsPayload,
  DirectHistoryPayload,
} from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { admin, astrologer, user } from '../../support/token.js';

const conversationId = 'user_asha_ravi';
let url: string;

beforeEach(async () => {
  ({ url } = await startApp());
});

async function say(from: TestClient, count: number): Promise<void> {
  for (let n = 1; n <= count; n += 1) await sendTo(from, astrologer('ravi'), { content: `m${n}` });
}

describe('dm:mark_delivered', () => {
  it('tells the writer, and is kept: in the history, and in the list of conversations', async () => {
    const a = await connectAs(url, user('asha'));
    await say(a, 3);
    const statuses = async () => {
      const { messages } = await a.ask<DirectHistoryPayload>('dm:history', { conversationId });
      return messages.map(({ status }) => status);
    };
    expect(await statuses()).toEqual(['sent', 'sent', 'sent']);
    const r = await connectAs(url, astrologer('ravi'));
    expect(await r.ask('dm:mark_delivered', { conversationId, upToSeq: 2 })).toEqual({
      conversationId,
      upToSeq: 2,
    });
    expect(await a.waitFor('dm:messages_delivered')).toEqual({
      conversationId,
      upToSeq: 2,
      deliveredTo: 'ravi',
      deliveredToType: 'astrologer',
      deliveredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(await statuses()).toEqual(['delivered', 'delivered', 'sent']);
    const { conversations } = await a.ask<DirectConversationsPayload>('dm:conversations', {});
    expect(conversations[0]?.peerMarks).toEqual({ readSeq: 0, readAt: null, deliveredSeq: 2 });
    // Delivered is not read.
    const own = await r.ask<DirectConversationsPayload>('dm:conversations', {});
    expect(own.conversations[0]?.unreadCount).toBe(3);
  });

  it('only goes forward, is said once, and ends where the conversation ends', async () => {
    const a = await connectAs(url, user('asha'));
    const r = await connectAs(url, astrologer('ravi'));
    await say(a, 4);
    await r.ask('dm:mark_delivered', { conversationId, upToSeq: 3 });
    await r.ask('dm:mark_delivered', { conversationId, upToSeq: 1 });
    await r.ask('dm:mark_delivered', { conversationId, upToSeq: 3 });
    expect(await r.ask('dm:mark_delivered', { conversationId, upToSeq: 99 })).toEqual({
      conversationId,
      upToSeq: 4,
    });
    await a.waitFor('dm:messages_delivered', ({ upToSeq }) => upToSeq === 4);
    expect(a.all('dm:messages_delivered').map(({ upToSeq }) => upToSeq)).toEqual([3, 4]);
    expect(r.all('dm:messages_delivered')).toEqual([]);
  });

  it('is overtaken by reading: what was read was delivered', async () => {
    const a = await connectAs(url, user('asha'));
    const r = await connectAs(url, astrologer('ravi'));
    await say(a, 3);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 3 });
    await r.ask('dm:mark_delivered', { conversationId, upToSeq: 2 });
    await r.ask('dm:mark_delivered', { conversationId, upToSeq: 3 });
    const { conversations } = await a.ask<DirectConversationsPayload>('dm:conversations', {});
    expect(conversations[0]?.peerMarks).toMatchObject({ readSeq: 3, deliveredSeq: 3 });
    expect(a.all('dm:messages_delivered')).toEqual([]);
  });

  it('refuses strangers, who learn nothing, and admins who take no part', async () => {
    const a = await connectAs(url, user('asha'));
    await say(a, 1);
    const stranger = await connectAs(url, user('stranger'));
    const refused = await stranger.send('dm:mark_delivered', { conversationId, upToSeq: 1 });
    expect(refused).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    expect(await stranger.send('dm:mark_delivered', { conversationId: 'user_x_y', upToSeq: 1 })).toEqual(
      refused,
    );
    const boss = await connectAs(url, admin('boss'));
    expect(await boss.send('dm:mark_delivered', { conversationId, upToSeq: 1 })).toMatchObject({
      ok: false,
      error: { code: 'FORBIDDEN' },
    });
    boss.tell('dm:mark_delivered', { conversationId });
    expect(await boss.waitFor('error')).toMatchObject({
      code: 'BAD_REQUEST',
      details: [{ field: 'upToSeq' }],
    });
    expect(
      await stranger.ask('dm:mark_delivered', { conversationId: 'user_stranger_ravi', upToSeq: 7 }),
    ).toEqual({
      conversationId: 'user_stranger_ravi',
      upToSeq: 0,
    });
  });
});
