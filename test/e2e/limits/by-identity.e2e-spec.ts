import { setTimeout as wait } from 'node:timers/promises';
import type { Ack } from '../../../src/contract/ack.js';
import { startApp } from '../../support/app.js';
import { connectAll, connectAs, openClient } from '../../support/client.js';
import { BURST, isRefused, retryAfter, SECONDS, sendMany, SMALL_LIMITS } from '../../support/rate-limits.js';
import { admin, astrologer, user } from '../../support/token.js';

describe('a limit by identity', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await startApp({ ...SMALL_LIMITS, ADMIN_SECRET_KEY: 'the-admin-key-of-this-test' }));
  });

  const toRavi = { recipientId: 'ravi', recipientType: 'astrologer' };
  const requests: [string, object][] = [
    ['dm:send_message', { ...toRavi, content: 'Namaste' }],
    ['call:initiate', { ...toRavi, callType: 'voice' }],
    ['dm:join_conversation', { conversationId: 'user_u_dm:join_conversation_ravi' }],
    ['live:join', { streamId: '0123456789abcdef01234567' }],
    ['dm:conversations', {}],
    ['no:such_event', {}],
  ];

  // At the same time, each as somebody else: every window has to pass once.
  it('lets a burst through, refuses one more with the time to wait, after which it passes', async () => {
    const outcomes = await Promise.all(
      requests.map(async ([event, payload]) => {
        const client = await connectAs(url, user(`under-${event}`));
        const answers = await sendMany(client, BURST + 1, event, payload);
        const retryAfterMs = retryAfter(answers.at(-1) as Ack);
        await wait(retryAfterMs);
        const again = await client.send(event, payload);
        return { event, refused: answers.map(isRefused), retryAfterMs, isAgainRefused: isRefused(again) };
      }),
    );
    for (const { event, refused, retryAfterMs, isAgainRefused } of outcomes) {
      expect([event, refused]).toEqual([event, [...Array<boolean>(BURST).fill(false), true]]);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(SECONDS * 1000 + 1);
      expect([event, isAgainRefused]).toEqual([event, false]);
    }
  });

  it('as it comes lets 30 messages through at once, in their order', async () => {
    const app = await startApp({ RATE_LIMITS: 'on' });
    const client = await connectAs(app.url, user('asha'));
    const answers = await Promise.all(
      Array.from({ length: 31 }, (_, n) =>
        client.send<{ content: string; seq: number }>('dm:send_message', { ...toRavi, content: `${n}` }),
      ),
    );
    const stored = answers.flatMap((ack) => (ack.ok ? [[ack.data.content, ack.data.seq]] : []));
    expect(stored).toEqual(Array.from({ length: 30 }, (_, n) => [`${n}`, n + 1]));
    expect(retryAfter(answers[30] as Ack)).toBeLessThanOrEqual(3001);
  });

  it('refuses before the payload is looked at, and without an ack as `error`', async () => {
    const client = await connectAs(url, user('careless'));
    const answers = await sendMany(client, BURST + 1, 'dm:send_message', { content: 1 });
    expect(answers.map((ack) => !ack.ok && ack.error.code)).toEqual([
      ...Array<string>(BURST).fill('BAD_REQUEST'),
      'RATE_LIMITED',
    ]);
    client.tell('dm:send_message', {});
    expect(await client.waitFor('error')).toMatchObject({
      event: 'dm:send_message',
      code: 'RATE_LIMITED',
      details: { retryAfterMs: expect.any(Number) },
    });
  });

  it('survives a reconnect, and is of one class and one identity alone', async () => {
    const client = await connectAs(url, user('persistent'));
    await sendMany(client, BURST, 'dm:conversations', {});
    client.close();
    const [again, other] = await connectAll(url, user('persistent'), astrologer('persistent'));
    retryAfter(await again.send('dm:conversations', {}));
    expect(await again.send('dm:send_message', { ...toRavi, content: 'Namaste' })).toMatchObject({
      ok: true,
    });
    expect(await other.send('dm:conversations', {})).toMatchObject({ ok: true });
  });

  it('is counted by socket for the shared admin, and by identity for an admin with a name', async () => {
    const auth = { token: 'the-admin-key-of-this-test' };
    const [first, second] = [openClient(url, { auth }), openClient(url, { auth })];
    for (const client of [first, second]) await client.waitFor('connected');
    await sendMany(first, BURST, 'dm:conversations', {});
    retryAfter(await first.send('dm:conversations', {}));
    expect(await second.send('dm:conversations', {})).toMatchObject({ ok: true });

    const [root, sameRoot] = await connectAll(url, admin('root'), admin('root'));
    await sendMany(root, BURST, 'dm:conversations', {});
    retryAfter(await sameRoot.send('dm:conversations', {}));
  });

  it('drops typing in silence', async () => {
    const [asha, ravi] = await connectAll(url, user('asha'), astrologer('ravi-t'));
    const { conversationId } = await asha.ask<{ conversationId: string }>('dm:send_message', {
      recipientId: 'ravi-t',
      recipientType: 'astrologer',
      content: 'Namaste',
    });
    await ravi.ask('dm:join_conversation', { conversationId });
    const acks = [];
    for (const event of ['start', 'stop', 'start', 'stop', 'start', 'stop'])
      acks.push(asha.send(`dm:typing_${event}`, { conversationId }));
    for (const ack of await Promise.all(acks)) expect(ack).toEqual({ ok: true, data: {} });
    await asha.ask('dm:mark_read', { conversationId, upToSeq: 1 });
    await asha.ask('dm:send_message', {
      recipientId: 'ravi-t',
      recipientType: 'astrologer',
      content: 'barrier',
    });
    await ravi.waitFor('dm:message_received', ({ content }) => content === 'barrier');
    expect(ravi.all('dm:typing_start')).toHaveLength(2);
  });

  it('drops reactions in silence', async () => {
    const [ravi, asha] = await connectAll(url, astrologer('ravi-r'), user('asha-r'));
    const { streamId } = await ravi.ask<{ streamId: string }>('live:start', {});
    await asha.ask('live:join', { streamId });
    const acks = await sendMany(asha, BURST + 2, 'live:reaction', { streamId });
    expect(acks.filter(({ ok }) => ok)).toHaveLength(BURST + 2);
    await ravi.waitFor('live:reaction');
    await asha.ask('live:comment', { streamId, message: 'barrier' });
    await ravi.waitFor('live:comment');
    const counts = ravi.all('live:reaction').map(({ count }) => count);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(BURST);
  });
});
