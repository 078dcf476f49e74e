import { TypingTimes } from '../../../src/messaging/typing-times.js';
import { startApp, type TestApp } from '../../support/app.js';
import { asMember, MISSING_ROOM, newGroup, openRoom, roomBarrier, say } from '../../support/chat-room.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';

const FAR_AWAY_MS = 600_000;

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});
beforeEach(() => {
  setTimes({ lapseMs: FAR_AWAY_MS, repeatMs: FAR_AWAY_MS });
});

function setTimes(times: Partial<TypingTimes>): void {
  Object.assign(server.app.get(TypingTimes, { strict: false }), times);
}

const typingOf = ({ received }: TestClient) =>
  received.map(({ event }) => event).filter((event) => event.includes('typing'));

/** A room of three; asha and bela have it open. */
async function meet() {
  const people = newGroup();
  const [r, a, b] = await connectAll(server.url, people.ravi, people.asha, people.bela);
  const conversationId = await openRoom(r, [people.asha, people.bela]);
  for (const client of [a, b]) await client.ask('chat:join', { conversationId });
  return { ...people, r, a, b, conversationId };
}

describe('chat:typing and chat:stop_typing', () => {
  it('reach the other members who have the room open, and nobody else', async () => {
    const { ravi, bela, r, a, b, conversationId } = await meet();
    const closed = await connectAs(server.url, bela);
    await closed.ask('chat:leave', { conversationId });
    expect(await r.ask('chat:typing', { conversationId, userId: 'somebody' })).toEqual({});
    const payload = {
      conversationId,
      userId: ravi.id,
      userType: 'astrologer',
      userName: `Name of ${ravi.id}`,
    };
    for (const client of [a, b]) expect(await client.waitFor('chat:typing')).toEqual(payload);
    await r.ask('chat:typing', { conversationId });
    expect(await r.ask('chat:stop_typing', { conversationId })).toEqual({});
    for (const client of [a, b]) expect(await client.waitFor('chat:stop_typing')).toEqual(payload);
    await roomBarrier(r, conversationId, a, b, r, closed);
    for (const client of [a, b]) expect(typingOf(client)).toEqual(['chat:typing', 'chat:stop_typing']);
    for (const client of [r, closed]) expect(typingOf(client)).toEqual([]);
  });

  it('stop by a message, by themselves, and when the typist goes', async () => {
    const { ravi, r, a, conversationId } = await meet();
    await r.ask('chat:typing', { conversationId });
    await say(r, conversationId);
    await a.waitForCount('chat:stop_typing', 1);
    const second = await connectAs(server.url, ravi);
    await second.ask('chat:typing', { conversationId });
    second.close();
    await a.waitForCount('chat:stop_typing', 2);
    setTimes({ lapseMs: 50 });
    await r.ask('chat:typing', { conversationId });
    await a.waitForCount('chat:stop_typing', 3);
    expect(a.all('chat:typing')).toHaveLength(3);
  });

  it('say nothing of who was removed, nor to them', async () => {
    const { asha, bela, r, a, b, conversationId } = await meet();
    await a.ask('chat:typing', { conversationId });
    await b.waitFor('chat:typing');
    await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
    await r.ask('chat:remove_member', { conversationId, ...asMember(bela) });
    await r.ask('chat:add_member', { conversationId, ...asMember(asha) });
    await r.ask('chat:typing', { conversationId });
    // Their socket still has it open.
    await a.waitFor('chat:typing');
    const other = await openRoom(r, [bela]);
    await roomBarrier(r, other, b);
    expect(b.all('chat:typing')).toHaveLength(1);
  });

  it('are dropped in silence between two of whom one has blocked the other', async () => {
    const { ravi, asha } = newGroup();
    const [r, a] = await connectAll(server.url, ravi, asha);
    const conversationId = await openRoom(r, [asha]);
    await a.ask('chat:join', { conversationId });
    await a.ask('dm:block', { userId: ravi.id, userType: 'astrologer' });
    expect(await r.ask('chat:typing', { conversationId })).toEqual({});
    await roomBarrier(a, conversationId, a);
    expect(typingOf(a)).toEqual([]);
  });

  it.each(['chat:typing', 'chat:stop_typing', 'chat:join'])('%s is refused to outsiders', async (event) => {
    const { mallory, conversationId } = await meet();
    const m = await connectAs(server.url, mallory);
    const error = await refusal(m, event, { conversationId });
    expect(error.code).toBe('NOT_FOUND');
    expect(await refusal(m, event, { conversationId: MISSING_ROOM })).toEqual(error);
  });
});

describe('chat:join and chat:leave', () => {
  it('open and close a room on one socket; who leaves it so stays a member', async () => {
    const { asha, r, a, conversationId } = await meet();
    const tablet = await connectAs(server.url, asha);
    // It has what the other one has open.
    await r.ask('chat:typing', { conversationId });
    await tablet.waitFor('chat:typing');
    expect(await tablet.ask('chat:leave', { conversationId })).toEqual({ conversationId, success: true });
    await r.ask('chat:stop_typing', { conversationId });
    await a.waitFor('chat:stop_typing');
    await roomBarrier(r, conversationId, tablet, a);
    expect(typingOf(tablet)).toEqual(['chat:typing']);
    expect(await tablet.ask('chat:leave', { conversationId: MISSING_ROOM })).toEqual({
      conversationId: MISSING_ROOM,
      success: true,
    });
  });

  it('come back after a reconnect, on any socket, but not to who is no member any more', async () => {
    const { asha, r, a, conversationId } = await meet();
    a.close();
    const back = await connectAs(server.url, asha);
    await r.ask('chat:typing', { conversationId });
    await back.waitFor('chat:typing');
    back.close();
    await r.ask('chat:stop_typing', { conversationId });
    await r.ask('chat:remove_member', { conversationId, ...asMember(asha) });
    const again = await connectAs(server.url, asha);
    await r.ask('chat:add_member', { conversationId, ...asMember(asha) });
    await r.ask('chat:typing', { conversationId });
    await roomBarrier(r, conversationId, again);
    expect(typingOf(again)).toEqual([]);
    await again.ask('chat:join', { conversationId });
    await r.ask('chat:typing', { conversationId });
    await again.waitFor('chat:typing');
  });
});
