import type { ChatMembersPayload, ChatRoomPayload, ChatRoomsPayload } from '../../../src/contract/chat.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import {
  asMember,
  asParties,
  MISSING_ROOM,
  newGroup,
  openRoom,
  roomBarrier,
  roomHistory,
  saidTo,
  say,
} from '../../support/chat-room.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});

const namesIn = async (client: TestClient, conversationId: string) => {
  const { members } = await client.ask<ChatMembersPayload>('chat:members', { conversationId });
  return members.map(({ userId, role }) => `${userId} ${role}`);
};

describe('chat:create', () => {
  it('opens a room with its members, each once, and tells them by a system message', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const members = asParties([asha, bela, asha, ravi]);
    const room = await r.ask<ChatRoomPayload>('chat:create', { members, title: 'Tuesdays' });
    expect(room).toEqual({
      conversationId: expect.any(String),
      title: 'Tuesdays',
      ownerId: ravi.id,
      ownerType: 'astrologer',
      memberCount: 3,
      createdAt: expect.any(String),
    });
    const { conversationId } = room;
    expect(await a.waitFor('chat:message')).toMatchObject({
      conversationId,
      seq: 1,
      messageType: 'system',
      senderId: ravi.id,
      message: `Name of ${ravi.id} created the room`,
      clientMessageId: `system:${conversationId}:1`,
      system: { event: 'created', userId: ravi.id, userType: 'astrologer', title: 'Tuesdays' },
    });
    expect(await namesIn(a, conversationId)).toEqual([
      `${ravi.id} owner`,
      `${asha.id} member`,
      `${bela.id} member`,
    ]);
  });

  it('makes one room however often it is sent again', async () => {
    const { ravi, asha } = newGroup();
    const [phone, tablet, a] = await connectAll(server.url, ravi, ravi, asha);
    const request = { members: asParties([asha]), clientRoomId: 'mine' };
    const rooms = await Promise.all(
      [phone, tablet, phone, tablet].map((client) => client.ask<ChatRoomPayload>('chat:create', request)),
    );
    expect(new Set(rooms.map(({ conversationId }) => conversationId)).size).toBe(1);
    const { conversationId } = rooms[0] as ChatRoomPayload;
    await roomBarrier(phone, conversationId, a);
    expect(await roomHistory(a, conversationId)).toHaveLength(2);
  });

  it('tells a creator who was put out nothing of the room, and opens no other', async () => {
    const { ravi, asha } = newGroup();
    const [r, boss] = await connectAll(server.url, ravi, admin('boss'));
    const request = { members: asParties([asha]), clientRoomId: 'theirs by now' };
    const { conversationId } = await r.ask<ChatRoomPayload>('chat:create', request);
    await boss.ask('chat:remove_member', { conversationId, ...asMember(ravi) });
    await boss.ask('chat:rename', { conversationId, title: 'Without ravi' });
    expect(await refusal(r, 'chat:create', request)).toEqual(
      await refusal(r, 'chat:history', { conversationId: MISSING_ROOM }),
    );
    expect(await r.ask('chat:rooms', {})).toEqual({ rooms: [], nextCursor: null });
  });

  it('is for astrologers and admins with anybody, for users with astrologers', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a, boss] = await connectAll(server.url, ravi, asha, admin('boss'));
    const ask = (people: Person[]) => ({ members: asParties(people) });
    expect((await refusal(a, 'chat:create', ask([ravi, bela]))).code).toBe('FORBIDDEN');
    expect((await refusal(a, 'chat:create', ask([admin()]))).code).toBe('FORBIDDEN');
    for (const [client, people] of [
      [a, [ravi, astrologer('second')]],
      [r, [asha, bela, admin()]],
      [boss, [asha, bela]],
    ] as const)
      expect(await client.ask('chat:create', ask([...people]))).toMatchObject({
        memberCount: people.length + 1,
      });
    const nobody = await refusal(r, 'chat:create', ask([ravi]));
    expect(nobody).toMatchObject({ code: 'BAD_REQUEST', details: [{ field: 'members' }] });
  });

  it('puts nobody into a room with somebody whom they have blocked', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    await a.ask('dm:block', { userId: ravi.id, userType: 'astrologer' });
    const request = { members: asParties([asha, bela]) };
    expect((await refusal(r, 'chat:create', request)).code).toBe('FORBIDDEN');
    const conversationId = await openRoom(r, [bela]);
    const add = { conversationId, ...asMember(asha) };
    expect((await refusal(r, 'chat:add_member', add)).code).toBe('FORBIDDEN');
    await a.ask('dm:unblock', { userId: ravi.id, userType: 'astrologer' });
    expect(await r.ask('chat:add_member', add)).toMatchObject({ memberCount: 3 });
  });
});

describe('chat:add_member', () => {
  it('lets somebody in, who reads what was said and has nothing unread of it', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a, b] = await connectAll(server.url, ravi, asha, bela);
    const conversationId = await openRoom(r, [asha]);
    await say(a, conversationId, 'before');
    const add = { conversationId, ...asMember(bela) };
    expect(await r.ask('chat:add_member', add)).toMatchObject({ memberCount: 3 });
    expect(await b.waitFor('chat:message')).toMatchObject({
      seq: 3,
      message: `Name of ${ravi.id} added Name of ${bela.id}`,
      system: { event: 'added', userId: bela.id, userType: 'user', title: null },
    });
    expect(await roomHistory(b, conversationId)).toHaveLength(3);
    const [listed] = (await b.ask<ChatRoomsPayload>('chat:rooms', {})).rooms;
    expect(listed).toMatchObject({ conversationId, unreadCount: 1, role: 'member', readSeq: 0 });
    await say(b, conversationId, 'hello');
    await a.waitFor('chat:message', ({ message }) => message === 'hello');
  });

  it('says so once when it is repeated, by several at once', async () => {
    const { ravi, asha, bela } = newGroup();
    const [phone, tablet] = await connectAll(server.url, ravi, ravi);
    const conversationId = await openRoom(phone, [asha]);
    const add = { conversationId, ...asMember(bela) };
    await Promise.all([phone, tablet, phone, tablet].map((client) => client.ask('chat:add_member', add)));
    expect(await namesIn(phone, conversationId)).toHaveLength(3);
    const said = await roomHistory(phone, conversationId);
    expect(said.map(({ system }) => system?.event)).toEqual(['created', 'added']);
  });

  it('is the owner’s and the admins’ alone', async () => {
    const { ravi, asha, bela, mallory } = newGroup();
    const [r, a, m, boss] = await connectAll(server.url, ravi, asha, mallory, admin('boss'));
    const conversationId = await openRoom(r, [asha]);
    for (const event of ['chat:add_member', 'chat:remove_member'])
      expect((await refusal(a, event, { conversationId, ...asMember(bela) })).code).toBe('FORBIDDEN');
    const others = await refusal(m, 'chat:add_member', { conversationId, ...asMember(mallory) });
    expect(others.code).toBe('NOT_FOUND');
    const missing = { conversationId: MISSING_ROOM, ...asMember(mallory) };
    expect(await refusal(m, 'chat:add_member', missing)).toEqual(others);
    await boss.ask('chat:add_member', { conversationId, ...asMember(bela) });
    await boss.ask('chat:rename', { conversationId, title: 'Watched' });
    await boss.ask('chat:remove_member', { conversationId, ...asMember(asha) });
    expect(await namesIn(r, conversationId)).toEqual([`${ravi.id} owner`, `${bela.id} member`]);
    // An admin who is no member reads nothing.
    expect((await refusal(boss, 'chat:history', { conversationId })).code).toBe('NOT_FOUND');
  });

  it('takes a thousand members and no more, also when many come at once', async () => {
    const { ravi } = newGroup();
    const r = await connectAs(server.url, ravi);
    const crowd = Array.from({ length: 500 }, (_, i) => user(`crowd${i}`));
    const conversationId = await openRoom(r, crowd);
    // The next 497 past the application: one by one they take a minute.
    const more = Array.from({ length: 497 }, (_, i) => ({
      key: `user:more${i}`,
      joinedAt: new Date(),
      othersBefore: 0,
    }));
    await collectionOf(server, 'chatrooms').updateOne({ _id: conversationId as never }, {
      $push: { members: { $each: more } },
      $inc: { memberCount: 497, version: 1 },
    } as never);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        r.send('chat:add_member', { conversationId, ...asMember(user(`late${i}`)) }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
    const refused = answers.find(({ ok }) => !ok);
    expect(refused).toMatchObject({ error: { code: 'CONFLICT', details: { state: 'full' } } });
    expect(await r.ask('chat:members', { conversationId, page: 10, limit: 100 })).toMatchObject({
      total: 1000,
      hasMore: false,
      members: { length: 100 },
    });
  });
});

describe('chat:remove_member and chat:leave_room', () => {
  it('ends everything for who was removed, at once, on open sockets too', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, phone, tablet, b] = await connectAll(server.url, ravi, asha, asha, bela);
    const conversationId = await openRoom(r, [asha, bela]);
    await roomBarrier(r, conversationId, phone, tablet);
    for (const client of [phone, tablet, b]) await client.ask('chat:join', { conversationId });
    await phone.ask('chat:typing', { conversationId });
    await b.waitFor('chat:typing');
    await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
    expect(await phone.waitFor('chat:removed')).toEqual({
      conversationId,
      removedBy: ravi.id,
      removedByType: 'astrologer',
      timestamp: expect.any(String),
    });
    await tablet.waitFor('chat:removed');
    const before = [phone, tablet].map(({ received }) => received.length);
    await b.ask('chat:typing', { conversationId });
    await b.ask('chat:read', { conversationId, upToSeq: 2 });
    await say(r, conversationId, 'about asha');
    await r.ask('chat:rename', { conversationId, title: 'Without asha' });
    // Their own room with the same people shows that nothing is on its way any more.
    const other = await openRoom(r, [asha]);
    await roomBarrier(r, other, phone, tablet);
    for (const [index, { received }] of [phone, tablet].entries()) {
      const after = received.slice(before[index]).map(({ args }) => args[0] as { conversationId?: string });
      expect(after.filter((payload) => payload.conversationId === conversationId)).toEqual([]);
    }
    const missing = await refusal(phone, 'chat:history', { conversationId: MISSING_ROOM });
    phone.received.length = 0;
    for (const [event, fields] of Object.entries({
      'chat:history': {},
      'chat:message': { message: 'still here' },
      'chat:join': {},
      'chat:typing': {},
      'chat:stop_typing': {},
      'chat:read': { upToSeq: 1 },
      'chat:members': {},
      'chat:leave_room': {},
      'chat:rename': { title: 'mine' },
      'chat:mute': { muted: true },
      'chat:add_member': asMember(asha),
    })) {
      expect([event, await refusal(phone, event, { conversationId, ...fields })]).toEqual([event, missing]);
      phone.received.length = 0;
    }
    const { rooms } = await phone.ask<ChatRoomsPayload>('chat:rooms', {});
    expect(rooms.map((room) => room.conversationId)).toEqual([other]);
    // They had typed, which ended with it.
    await b.waitFor('chat:stop_typing');
  });

  it('leaves the room of an owner who goes to who was in it for longest, and an empty one to nobody', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, a, b] = await connectAll(server.url, ravi, asha, bela);
    const conversationId = await openRoom(r, [asha, bela]);
    expect(await r.ask('chat:leave_room', { conversationId })).toMatchObject({
      ownerId: asha.id,
      memberCount: 2,
    });
    expect(await b.waitFor('chat:message', ({ system }) => system?.event === 'left')).toMatchObject({
      message: `Name of ${ravi.id} left`,
      senderId: ravi.id,
    });
    expect((await refusal(b, 'chat:remove_member', { conversationId, ...asMember(asha) })).code).toBe(
      'FORBIDDEN',
    );
    // Removing oneself is leaving.
    await b.ask('chat:remove_member', { conversationId, ...asMember(bela) });
    expect(await a.ask('chat:leave_room', { conversationId })).toMatchObject({
      ownerId: null,
      ownerType: null,
      memberCount: 0,
    });
    expect((await refusal(a, 'chat:leave_room', { conversationId })).code).toBe('NOT_FOUND');
    const boss = await connectAs(server.url, admin('boss'));
    await boss.ask('chat:add_member', { conversationId, ...asMember(asha) });
    expect(await namesIn(a, conversationId)).toEqual([`${asha.id} owner`]);
    expect(saidTo(a)).toEqual([]);
  });

  it('is told to nobody when nobody is left', async () => {
    const { ravi, asha, mallory } = newGroup();
    const [r, a, m] = await connectAll(server.url, ravi, asha, mallory);
    const conversationId = await openRoom(r, [asha]);
    await r.ask('chat:leave_room', { conversationId });
    await a.ask('chat:leave_room', { conversationId });
    // A later room of theirs shows that nothing is on its way any more.
    const later = await openRoom(r, [asha, mallory]);
    await roomBarrier(r, later, r, a, m);
    const heardOf = (client: TestClient) =>
      client.all('chat:message').filter((message) => message.conversationId === conversationId);
    expect(heardOf(m)).toEqual([]);
    expect(heardOf(r).map(({ system }) => system?.event)).toEqual(['created']);
    expect(heardOf(a).map(({ system }) => system?.event)).toEqual(['created', 'left']);
  });

  it('of many at once keeps the count and the log right', async () => {
    const { ravi } = newGroup();
    const crowd = Array.from({ length: 12 }, (_, i) => user(`leaver${i}`));
    const r = await connectAs(server.url, ravi);
    const clients = await connectAll(server.url, ...crowd);
    const conversationId = await openRoom(r, crowd);
    await Promise.all(clients.map((client) => client.ask('chat:leave_room', { conversationId })));
    expect(await namesIn(r, conversationId)).toEqual([`${ravi.id} owner`]);
    const said = await roomHistory(r, conversationId);
    expect(said.map(({ seq }) => seq)).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
    expect(new Set(said.slice(1).map(({ senderId }) => senderId)).size).toBe(12);
  });
});

describe('chat:rename', () => {
  it('is said in the room, once', async () => {
    const { ravi, asha } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const conversationId = await openRoom(r, [asha]);
    const rename = (title: string) => r.ask<ChatRoomPayload>('chat:rename', { conversationId, title });
    expect(await rename('Tuesdays')).toMatchObject({ title: 'Tuesdays' });
    await rename('Tuesdays');
    expect(await rename('')).toMatchObject({ title: '' });
    await roomBarrier(r, conversationId, a);
    const told = a.all('chat:message').filter(({ system }) => system?.event === 'renamed');
    expect(told.map(({ system }) => system?.title)).toEqual(['Tuesdays', '']);
    expect((await refusal(a, 'chat:rename', { conversationId, title: 'mine' })).code).toBe('FORBIDDEN');
    for (const title of ['x'.repeat(101), 'a\nb', 5, null]) {
      const error = await refusal(r, 'chat:rename', { conversationId, title });
      expect(error).toMatchObject({ code: 'BAD_REQUEST', details: [{ field: 'title' }] });
      r.received.length = 0;
    }
  });
});
