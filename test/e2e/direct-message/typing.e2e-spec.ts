import { TypingTimes } from '../../../src/messaging/typing-times.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { barrier, sendTo } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { admin, user } from '../../support/token.js';

const FAR_AWAY_MS = 600_000;
const STARTS = ['dm:typing_start', 'dm:user_typing'] as const;
const STOPS = ['dm:typing_stop', 'dm:user_stopped_typing'] as const;

let server: TestApp;

beforeAll(async () => {
  server = await startApp();
});
beforeEach(() => {
  setTimes({ lapseMs: FAR_AWAY_MS, repeatMs: FAR_AWAY_MS });
});

/** Nothing here waits for real times, and none but the tests of lapses and repeats meets one. */
function setTimes(times: Partial<TypingTimes>): void {
  Object.assign(server.app.get(TypingTimes, { strict: false }), times);
}

/** What a client got of typing so far, in order. */
const typingOf = ({ received }: TestClient) =>
  received.map(({ event }) => event).filter((event) => event.includes('typing'));

/** Both are connected, have spoken, and ravi has the conversation open. */
async function meet(): Promise<{ a: TestClient; r: TestClient }> {
  const [a, r] = [await connectAs(server.url, asha), await connectAs(server.url, ravi)];
  await sendTo(a, ravi);
  await r.ask('dm:join_conversation', { conversationId });
  return { a, r };
}

const start = (client: TestClient, id = conversationId) =>
  client.ask('dm:typing_start', { conversationId: id });
const stop = (client: TestClient, id = conversationId) =>
  client.ask('dm:typing_stop', { conversationId: id });

describe('dm:typing_start and dm:typing_stop', () => {
  it('reach the other side under both names, and are acked', async () => {
    asha.name = 'Asha';
    const { a, r } = await meet();
    const payload = { conversationId, userId: asha.id, userType: 'user', userName: 'Asha' };
    expect(await start(a)).toEqual({});
    for (const event of STARTS) expect(await r.waitFor(event)).toEqual(payload);
    expect(await stop(a)).toEqual({});
    for (const event of STOPS) expect(await r.waitFor(event)).toEqual(payload);
    expect(r.received.every(({ args }) => args.length === 1)).toBe(true);
  });

  it('Typing could be spoofed', async () => {
    const { a, r } = await meet();
    const m = await connectAs(server.url, mallory);
    const lie = { conversationId, userId: asha.id, userType: 'user', userName: 'Asha' };
    expect(await m.send('dm:typing_start', lie)).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
    await a.ask('dm:typing_start', { ...lie, userId: ravi.id, userType: 'astrologer', userName: 'Ravi' });
    expect(await r.waitFor('dm:typing_start')).toEqual({
      conversationId,
      userId: asha.id,
      userType: 'user',
      userName: `Name of ${asha.id}`,
    });
    await m.send('dm:typing_stop', lie);
    const [seen, recipient] = [typingOf(r), await connectAs(server.url, asha)];
    await barrier(recipient, ravi, r);
    // The message ends the typing, and nothing did before.
    expect(seen).toEqual([...STARTS]);
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS]);
  });

  it('reach no device of the one who types, and nobody who has not opened the conversation', async () => {
    // Before anybody opens it: a device gets at its arrival what others of the same person have open.
    const closed = await connectAs(server.url, ravi);
    const { a, r } = await meet();
    const other = await connectAs(server.url, asha);
    for (const client of [a, other]) await client.ask('dm:join_conversation', { conversationId });
    await start(a);
    await stop(a);
    await r.waitFor('dm:user_stopped_typing');
    for (const client of [a, other, closed]) {
      await barrier(r, asha, client);
      expect(typingOf(client)).toEqual([]);
    }
  });

  it('refuse outsiders with and without ack, whether the conversation exists or not, and tell nobody', async () => {
    const { a, r } = await meet();
    const m = await connectAs(server.url, mallory);
    for (const event of ['dm:typing_start', 'dm:typing_stop']) {
      const answers = [];
      for (const id of [conversationId, 'user_no_one', '__proto__', 'admin:', `astrologer:${ravi.id}`])
        answers.push(await m.send(event, { conversationId: id }));
      for (const answer of answers)
        expect(answer).toEqual({
          ok: false,
          error: { code: 'NOT_FOUND', message: 'There is no such conversation.', retryable: false },
        });
      m.tell(event, { conversationId });
      expect(await m.waitFor('error', (error) => error.event === event)).toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    await barrier(a, ravi, r);
    expect(typingOf(r)).toEqual([]);
  });

  it.each([[{}], [{ conversationId: 5 }], [{ conversationId: '' }], [{ conversationId: { $ne: null } }]])(
    'refuse %j',
    async (payload) => {
      const client = await connectAs(server.url, asha);
      for (const event of ['dm:typing_start', 'dm:typing_stop']) {
        expect(await client.send(event, payload)).toMatchObject({
          ok: false,
          error: { code: 'BAD_REQUEST', details: [{ field: 'conversationId' }] },
        });
        client.tell(event, payload);
        await client.waitFor('error', (error) => error.event === event && error.code === 'BAD_REQUEST');
      }
    },
  );

  it('an admin who only reads may not type; one who is a side types as the admins, with their own name', async () => {
    const { r } = await meet();
    const staff = await connectAs(server.url, { ...admin('root'), name: 'Meera' });
    expect(await staff.send('dm:typing_start', { conversationId })).toMatchObject({
      ok: false,
      error: { code: 'FORBIDDEN' },
    });
    const { conversationId: support } = await sendTo(staff, ravi);
    await r.ask('dm:join_conversation', { conversationId: support });
    await start(staff, support);
    expect(await r.waitFor('dm:typing_start')).toEqual({
      conversationId: support,
      userId: 'admin',
      userType: 'admin',
      userName: 'Meera',
    });
    const nameless = await connectAs(server.url, { ...admin('x'), name: '' });
    await stop(staff, support);
    await start(nameless, support);
    expect((await r.waitForCount('dm:typing_start', 2))[1]?.userName).toBe('Admin');
    await stop(nameless, support);
  });

  it('reach an admin who has the conversation of others open', async () => {
    const { a } = await meet();
    const staff = await connectAs(server.url, admin('root'));
    await staff.ask('dm:join_conversation', { conversationId });
    await start(a);
    expect(await staff.waitFor('dm:user_typing')).toMatchObject({ conversationId, userId: asha.id });
  });

  it('are harmless for a pair that has not spoken yet', async () => {
    const [a, r] = [await connectAs(server.url, asha), await connectAs(server.url, ravi)];
    await r.ask('dm:join_conversation', { conversationId });
    expect([await start(a), await stop(a)]).toEqual([{}, {}]);
    await barrier(a, ravi, r);
    expect(typingOf(r)).toEqual([]);
  });

  it('a stop without a start says nothing, and a repeated one neither', async () => {
    const { a, r } = await meet();
    await stop(a);
    await start(a);
    for (let i = 0; i < 3; i += 1) await stop(a);
    await barrier(a, ravi, r);
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS]);
  });

  it('a start for every key is sent on once', async () => {
    const { a, r } = await meet();
    for (let i = 0; i < 50; i += 1) a.tell('dm:typing_start', { conversationId });
    await stop(a);
    await r.waitFor('dm:user_stopped_typing');
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS]);
    expect(a.all('error')).toEqual([]);
  });

  it('while typing goes on it is sent on again from time to time, without a stop in between', async () => {
    setTimes({ repeatMs: 0 });
    const { a, r } = await meet();
    for (let i = 0; i < 3; i += 1) await start(a);
    await stop(a);
    await r.waitFor('dm:user_stopped_typing');
    expect(typingOf(r)).toEqual([...STARTS, ...STARTS, ...STARTS, ...STOPS]);
  });

  it('whoever starts and stops at once has stopped, also when the node has to ask the database in between', async () => {
    await meet();
    const again = await startApp({ MONGODB_URI: server.mongoUri });
    const [a, r] = [await connectAs(again.url, asha), await connectAs(again.url, ravi)];
    await r.ask('dm:join_conversation', { conversationId });
    a.tell('dm:typing_start', { conversationId });
    await stop(a);
    await barrier(r, asha, r);
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS]);
  });
});

describe('typing stops', () => {
  it('by itself', async () => {
    setTimes({ lapseMs: 100 });
    const { a, r } = await meet();
    await start(a);
    for (const event of STOPS)
      expect(await r.waitFor(event)).toMatchObject({ conversationId, userId: asha.id });
    await start(a);
    await r.waitForCount('dm:user_stopped_typing', 2);
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS, ...STARTS, ...STOPS]);
  });

  it('not before its time has passed since the last start', async () => {
    const lapseMs = 1000;
    setTimes({ lapseMs });
    const { a, r } = await meet();
    const stops: number[] = [];
    r.socket.on('dm:typing_stop', () => stops.push(performance.now()));
    const begun = performance.now();
    let renewed = begun;
    while (renewed - begun < lapseMs / 2) {
      renewed = performance.now();
      await start(a);
    }
    await r.waitForCount('dm:typing_stop', r.all('dm:typing_stop').length + 1);
    // Timers may be early by a fraction.
    expect((stops.at(-1) ?? 0) - renewed).toBeGreaterThan(lapseMs - 20);
  });

  it('when the socket that typed goes', async () => {
    const { a, r } = await meet();
    await start(a);
    a.close();
    for (const event of STOPS)
      expect(await r.waitFor(event)).toMatchObject({ conversationId, userId: asha.id });
  });

  it('with the message', async () => {
    const { a, r } = await meet();
    await start(a);
    await sendTo(a, ravi, { content: 'what I typed' });
    await r.waitFor('dm:user_stopped_typing');
    await start(a);
    await r.waitForCount('dm:user_typing', 2);
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS, ...STARTS]);
  });

  it('of two devices, with the last one', async () => {
    const { a, r } = await meet();
    const other = await connectAs(server.url, asha);
    await start(a);
    await start(other);
    await stop(a);
    await stop(a);
    a.close();
    await barrier(r, asha, other);
    expect(typingOf(r)).toEqual([...STARTS]);
    await stop(other);
    await r.waitFor('dm:user_stopped_typing');
    expect(typingOf(r)).toEqual([...STARTS, ...STOPS]);
  });
});

describe('what typing costs', () => {
  it('nobody types in more than 20 conversations at once: further ones are dropped in silence', async () => {
    const staff = await connectAs(server.url, admin('root'));
    const people = await Promise.all(
      Array.from({ length: 21 }, (_, i) => connectAs(server.url, user(`many${i}`))),
    );
    const ids: string[] = [];
    for (const { greeting } of people) {
      const { id, userType } = greeting.user;
      ids.push((await sendTo(staff, { id, type: userType })).conversationId);
    }
    for (const [i, person] of people.entries())
      await person.ask('dm:join_conversation', { conversationId: ids[i] });
    for (const id of ids) expect(await start(staff, id)).toEqual({});
    const [first, last] = [people[0] as (typeof people)[0], people.at(-1) as (typeof people)[0]];
    await first.waitFor('dm:user_typing');
    await barrier(staff, { id: last.greeting.user.id, type: 'user' }, last);
    expect(typingOf(last)).toEqual([]);
    await stop(staff, ids[0]);
    await start(staff, ids.at(-1));
    await last.waitFor('dm:user_typing');
    expect(typingOf(last)).toEqual([...STARTS]);
  });
});
