import type {
  ChatHistoryPayload,
  ChatMembersPayload,
  ChatRoomEntryPayload,
  ChatRoomsPayload,
} from '../../../src/contract/chat.js';
import { startApp, type TestApp } from '../../support/app.js';
import { asMember, MISSING_ROOM, newGroup, openRoom, roomBarrier, say } from '../../support/chat-room.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import { user } from '../../support/token.js';

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});

async function roomsOf(client: TestClient, window: object = {}): Promise<ChatRoomEntryPayload[]> {
  return (await client.ask<ChatRoomsPayload>('chat:rooms', window)).rooms;
}

async function unread(client: TestClient, conversationId: string): Promise<number | undefined> {
  return (await roomsOf(client)).find((room) => room.conversationId === conversationId)?.unreadCount;
}

describe('chat:read', () => {
  it('moves one’s own mark forward, and tells the members who has read up to where', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, phone, tablet, b] = await connectAll(server.url, ravi, asha, asha, bela);
    const conversationId = await openRoom(r, [asha, bela]);
    for (let i = 0; i < 4; i += 1) await say(r, conversationId);
    await say(phone, conversationId);
    expect(await phone.ask('chat:read', { conversationId, upToSeq: 3 })).toEqual({
      conversationId,
      upToSeq: 3,
      unreadCount: 2,
    });
    for (const client of [r, tablet, b])
      expect(await client.waitFor('chat:read')).toEqual({
        conversationId,
        upToSeq: 3,
        readBy: asha.id,
        readByType: 'user',
        readAt: expect.any(String),
      });
    // Never back, and not beyond the end.
    expect(await tablet.ask('chat:read', { conversationId, upToSeq: 1 })).toMatchObject({ upToSeq: 3 });
    expect(await tablet.ask('chat:read', { conversationId, upToSeq: 2 ** 31 - 1 })).toMatchObject({
      upToSeq: 6,
      unreadCount: 0,
    });
    await roomBarrier(r, conversationId, r, phone, b);
    expect(r.all('chat:read').map(({ upToSeq }) => upToSeq)).toEqual([3, 6]);
    expect(phone.all('chat:read').map(({ upToSeq }) => upToSeq)).toEqual([6]);
    const { members } = await b.ask<ChatMembersPayload>('chat:members', { conversationId });
    expect(members.map(({ userId, readSeq }) => [userId, readSeq])).toEqual([
      [ravi.id, 0],
      [asha.id, 6],
      [bela.id, 0],
    ]);
  });

  it('is told to one’s own devices alone in a room of more than 50', async () => {
    const { ravi, asha } = newGroup();
    const [r, phone, tablet] = await connectAll(server.url, ravi, asha, asha);
    const conversationId = await openRoom(r, [
      asha,
      ...Array.from({ length: 49 }, (_, i) => user(`reader${i}`)),
    ]);
    await phone.ask('chat:read', { conversationId, upToSeq: 1 });
    await tablet.waitFor('chat:read');
    await roomBarrier(r, conversationId, r);
    expect(r.all('chat:read')).toEqual([]);
  });

  it('counts exactly, by whomever', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a, b] = await connectAll(server.url, ravi, asha, bela);
    const conversationId = await openRoom(r, [asha, bela]);
    const counts = async () => [
      await unread(r, conversationId),
      await unread(a, conversationId),
      await unread(b, conversationId),
    ];
    expect(await counts()).toEqual([0, 1, 1]);
    for (const client of [a, b, a, r]) await say(client, conversationId);
    expect(await counts()).toEqual([3, 3, 4]);
    await a.ask('chat:read', { conversationId, upToSeq: 3 });
    expect(await counts()).toEqual([3, 1, 4]);
    await b.ask('chat:leave_room', { conversationId });
    expect(await unread(r, conversationId)).toBe(4);
    // Who comes back has nothing unread of what was said meanwhile.
    await say(r, conversationId);
    await r.ask('chat:add_member', { conversationId, ...asMember(bela) });
    expect(await unread(b, conversationId)).toBe(1);
    expect(await b.ask('chat:read', { conversationId, upToSeq: 2 })).toMatchObject({ unreadCount: 1 });
    expect(await b.ask('chat:read', { conversationId, upToSeq: 100 })).toMatchObject({ unreadCount: 0 });
  });

  it('is refused to outsiders', async () => {
    const { ravi, asha, mallory } = newGroup();
    const [r, m] = await connectAll(server.url, ravi, mallory);
    const conversationId = await openRoom(r, [asha]);
    const error = await refusal(m, 'chat:read', { conversationId, upToSeq: 1 });
    expect(error.code).toBe('NOT_FOUND');
    expect(await refusal(m, 'chat:read', { conversationId: MISSING_ROOM, upToSeq: 1 })).toEqual(error);
  });
});

describe('chat:rooms', () => {
  it('lists one’s own rooms, those with the newest messages first, page by page', async () => {
    const { ravi, asha } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const ids: string[] = [];
    for (const title of ['one', 'two', 'three']) ids.unshift(await openRoom(r, [asha], title));
    await openRoom(r, [user('other')], 'without asha');
    await say(r, ids[2] as string, 'up');
    const wanted = [ids[2], ids[0], ids[1]];
    const seen: ChatRoomEntryPayload[] = [];
    let cursor: string | null = null;
    do {
      const page: ChatRoomsPayload = await a.ask('chat:rooms', { limit: 1, cursor });
      seen.push(...page.rooms);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.map((room) => room.conversationId)).toEqual(wanted);
    expect(seen[0]).toEqual({
      conversationId: ids[2],
      title: 'one',
      ownerId: ravi.id,
      ownerType: 'astrologer',
      memberCount: 2,
      createdAt: expect.any(String),
      role: 'member',
      muted: false,
      lastMessage: 'up',
      lastMessageType: 'text',
      lastSenderId: ravi.id,
      lastSenderType: 'astrologer',
      lastMessageAt: expect.any(String),
      lastSeq: 2,
      unreadCount: 2,
      readSeq: 0,
      updatedAt: expect.any(String),
    });
    await a.ask('chat:mute', { conversationId: ids[0], muted: true });
    expect((await roomsOf(a))[1]).toMatchObject({ muted: true });
    expect((await roomsOf(r))[2]).toMatchObject({ conversationId: ids[0], muted: false });
  });

  it('lists what changed since, for catching up', async () => {
    const { ravi, asha } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const [first, second] = [await openRoom(r, [asha]), await openRoom(r, [asha])];
    const updatedAfter = (await roomsOf(a))
      .map((room) => room.updatedAt)
      .toSorted()
      .at(-1);
    await say(r, first);
    const [changed] = await roomsOf(a, { updatedAfter });
    expect(changed?.conversationId).toBe(first);
    await a.ask('chat:read', { conversationId: second, upToSeq: 1 });
    expect((await roomsOf(a, { updatedAfter }))[0]).toMatchObject({ conversationId: second, readSeq: 1 });
    expect((await refusal(a, 'chat:rooms', { cursor: 'nonsense' })).code).toBe('BAD_REQUEST');
  });
});

describe('chat:history', () => {
  it('reads by page and by seq, in the ack and as the reply event', async () => {
    const { ravi, asha } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const conversationId = await openRoom(r, [asha]);
    for (let i = 2; i <= 12; i += 1) await say(r, conversationId, `m${i}`);
    const read = async (window: object) => {
      const history = await a.ask<ChatHistoryPayload>('chat:history', { conversationId, ...window });
      expect(a.all('chat:history').at(-1)).toEqual(history);
      return [history.messages.map(({ seq }) => seq), history.total, history.hasMore];
    };
    expect(await read({ limit: 3 })).toEqual([[10, 11, 12], 12, true]);
    expect(await read({ limit: 5, page: 3 })).toEqual([[1, 2], 12, false]);
    expect(await read({ limit: 3, beforeSeq: 4 })).toEqual([[1, 2, 3], 12, false]);
    expect(await read({ limit: 4, afterSeq: 6 })).toEqual([[7, 8, 9, 10], 12, true]);
    expect(await read({ afterSeq: 10 })).toEqual([[11, 12], 12, false]);
  });

  it('and chat:members are refused to outsiders as if there were no such room', async () => {
    const { ravi, asha, mallory } = newGroup();
    const r = await connectAs(server.url, ravi);
    const conversationId = await openRoom(r, [asha]);
    const m = await connectAs(server.url, mallory);
    for (const event of ['chat:history', 'chat:members']) {
      const error = await refusal(m, event, { conversationId });
      expect(error.code).toBe('NOT_FOUND');
      expect(await refusal(m, event, { conversationId: MISSING_ROOM })).toEqual(error);
      // A pair's conversation is no room.
      expect(await refusal(m, event, { conversationId: `user_${mallory.id}_${ravi.id}` })).toEqual(error);
    }
    expect(m.all('chat:history')).toEqual([]);
  });
});
