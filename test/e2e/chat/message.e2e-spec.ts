import type { ChatMessagePayload } from '../../../src/contract/chat.js';
import { startApp, type TestApp } from '../../support/app.js';
import { newGroup, openRoom, roomBarrier, roomHistory, saidTo, say } from '../../support/chat-room.js';
import { connectAll, connectAs } from '../../support/client.js';
import { MISSING_ROOM } from '../../support/chat-room.js';
import { refusal } from '../../support/direct-chat.js';

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});

describe('chat:message', () => {
  it('has every field of the contract, in the ack as at every socket of every member', async () => {
    const { ravi, asha, bela } = newGroup();
    const clients = await connectAll(server.url, ravi, asha, asha, bela);
    const [r] = clients;
    const conversationId = await openRoom(r, [asha, bela], 'Tuesdays');
    const sent = await say(r, conversationId, 'Namaste', { clientMessageId: 'c1' });
    expect(sent).toEqual({
      id: sent.id,
      _id: sent.id,
      conversationId,
      seq: 2,
      senderId: ravi.id,
      senderType: 'astrologer',
      senderName: `Name of ${ravi.id}`,
      senderAvatar: '',
      message: 'Namaste',
      messageType: 'text',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      clientMessageId: 'c1',
    });
    for (const client of clients) {
      expect(await client.waitFor('chat:message', ({ seq }) => seq === 2)).toEqual(sent);
      expect(client.received.every(({ args }) => args.length === 1)).toBe(true);
    }
  });

  it('reaches members who have joined and who have not, once each: the app’s payload needs no more than an id', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a, b] = await connectAll(server.url, ravi, asha, bela);
    const conversationId = await openRoom(r, [asha, bela]);
    expect(await a.ask('chat:join', { conversationId, userId: 'x', userType: 'admin' })).toEqual({
      conversationId,
      success: true,
    });
    a.tell('chat:message', { conversationId, message: 'joined', senderId: 'somebody' });
    await r.waitFor('chat:message', ({ message }) => message === 'joined');
    b.tell('chat:message', { conversationId, message: 'not joined' });
    await r.waitFor('chat:message', ({ message }) => message === 'not joined');
    await roomBarrier(r, conversationId, r, a, b);
    for (const client of [r, a, b]) expect(saidTo(client)).toEqual(['joined', 'not joined', 'barrier']);
    expect(r.all('chat:message').map(({ senderId }) => senderId)).toEqual([
      ravi.id,
      asha.id,
      bela.id,
      ravi.id,
    ]);
    expect(b.all('error')).toEqual([]);
  });

  it('is stored once however often it is sent again, and told once', async () => {
    const { ravi, asha } = newGroup();
    const [r, phone, tablet] = await connectAll(server.url, ravi, asha, asha);
    const conversationId = await openRoom(r, [asha]);
    const again = await Promise.all(
      [phone, tablet, phone, tablet].map((client) =>
        say(client, conversationId, 'once', { clientMessageId: 'same' }),
      ),
    );
    expect(new Set(again.map(({ id }) => id)).size).toBe(1);
    await roomBarrier(r, conversationId, phone, tablet, r);
    for (const client of [r, phone, tablet]) expect(saidTo(client)).toEqual(['once', 'barrier']);
    const other = await openRoom(r, [asha]);
    const elsewhere = { conversationId: other, message: 'once', clientMessageId: 'same' };
    expect((await refusal(phone, 'chat:message', elsewhere)).code).toBe('CONFLICT');
  });

  it('keeps the order of each sender, in seq without gaps', async () => {
    const { ravi, asha, bela } = newGroup();
    const clients = await connectAll(server.url, ravi, asha, bela);
    const [r] = clients;
    const conversationId = await openRoom(r, [asha, bela]);
    const sent = await Promise.all(
      clients.map((client, who) =>
        Promise.all(Array.from({ length: 30 }, (_, i) => say(client, conversationId, `${who}-${i}`))),
      ),
    );
    for (const own of sent) {
      const seqs = own.map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
    await roomBarrier(r, conversationId, ...clients);
    const stored = await roomHistory(r, conversationId, { limit: 100 });
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 92 }, (_, i) => i + 1));
    for (const client of clients) {
      const got = client.all('chat:message').map(({ id }) => id);
      expect(got).toEqual(stored.map(({ id }) => id));
    }
  });

  it('cannot be a system message, nor take the place of one', async () => {
    const { ravi, asha } = newGroup();
    const r = await connectAs(server.url, ravi);
    const conversationId = await openRoom(r, [asha]);
    const faults: [object, string][] = [
      [{ messageType: 'system' }, 'messageType'],
      [{ messageType: 'call_log' }, 'messageType'],
      [{ clientMessageId: `system:${conversationId}:2` }, 'clientMessageId'],
      [{ message: '' }, 'message'],
      [{ message: '  \n' }, 'message'],
      [{ message: 'x'.repeat(4001) }, 'message'],
      [{ message: { $ne: null } }, 'message'],
      [{ conversationId: { $ne: null } }, 'conversationId'],
    ];
    for (const [fields, field] of faults) {
      const error = await refusal(r, 'chat:message', { conversationId, message: 'hello', ...fields });
      expect(error).toMatchObject({ code: 'BAD_REQUEST', details: [{ field }] });
      r.received.length = 0;
    }
    expect(await say(r, conversationId, '🙏'.repeat(4000))).toMatchObject({ seq: 2 });
  });

  it('of an outsider is refused as if there were no such room', async () => {
    const { ravi, asha, mallory } = newGroup();
    const [r, m] = await connectAll(server.url, ravi, mallory);
    const conversationId = await openRoom(r, [asha]);
    const message = 'let me in';
    const error = await refusal(m, 'chat:message', { conversationId, message });
    expect(error).toEqual({
      code: 'NOT_FOUND',
      message: 'There is no such chat room.',
      retryable: false,
    });
    expect(await refusal(m, 'chat:message', { conversationId: MISSING_ROOM, message })).toEqual(error);
    expect(await roomHistory(r, conversationId)).toHaveLength(1);
  });

  it('counts a block between two as direct messages do, and not in a larger room', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const two = await openRoom(r, [asha]);
    const three = await openRoom(r, [asha, bela]);
    const before = await say(r, two, 'before', { clientMessageId: 'before' });
    await a.ask('dm:block', { userId: ravi.id, userType: 'astrologer' });
    expect((await refusal(r, 'chat:message', { conversationId: two, message: 'after' })).code).toBe(
      'FORBIDDEN',
    );
    expect(await say(r, two, 'before', { clientMessageId: 'before' })).toEqual(before);
    expect(await say(r, three)).toMatchObject({ message: 'hello' });
    expect(await say(a, two)).toMatchObject({ message: 'hello' });
    await a.ask('dm:unblock', { userId: ravi.id, userType: 'astrologer' });
    expect(await say(r, two)).toMatchObject<Partial<ChatMessagePayload>>({ message: 'hello' });
  });
});
