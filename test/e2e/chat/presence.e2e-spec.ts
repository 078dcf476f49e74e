import { startApp, type TestApp } from '../../support/app.js';
import { asMember, newGroup, openRoom, roomBarrier } from '../../support/chat-room.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { recordQueries } from '../../support/query-plans.js';
import { withPresenceTimes } from '../../support/presence.js';
import { startRedis } from '../../support/redis.js';
import { user } from '../../support/token.js';

let one: TestApp;
let two: TestApp;

beforeAll(async () => {
  const short = [withPresenceTimes({ offlineDelayMs: 50, repeatMs: 100 })];
  const { url } = await startRedis();
  one = await startApp({ REDIS_URL: url }, [], short);
  two = await startApp({ REDIS_URL: url, MONGODB_URI: one.mongoUri }, [], short);
});

const comingsOf = ({ received }: TestClient, id: string) =>
  received.flatMap(({ event, args }) =>
    /^chat:(on|off)line$/.test(event) && (args[0] as { userId: string }).userId === id ? [event] : [],
  );

describe('chat:online and chat:offline', () => {
  it('go to those who share a room with that person, on every node, and to nobody else', async () => {
    const { ravi, asha, bela, mallory } = newGroup();
    const [r, m] = await connectAll(one.url, ravi, mallory);
    const b = await connectAs(two.url, bela);
    const conversationId = await openRoom(r, [asha, bela]);
    await openRoom(r, [mallory]);
    const a = await connectAs(two.url, asha);
    for (const client of [r, b])
      expect(await client.waitFor('chat:online', ({ userId }) => userId === asha.id)).toEqual({
        userId: asha.id,
        userType: 'user',
        lastSeen: expect.any(String),
      });
    a.close();
    for (const client of [r, b]) await client.waitFor('chat:offline', ({ userId }) => userId === asha.id);
    await roomBarrier(r, conversationId, b);
    expect(comingsOf(m, asha.id)).toEqual([]);
    expect(comingsOf(r, asha.id)).toEqual(['chat:online', 'chat:offline']);
  });

  it('go to those who share a room with each, of several who come at once', async () => {
    const { ravi, asha, bela } = newGroup();
    const { ravi: other } = newGroup();
    const [r, o] = await connectAll(one.url, ravi, other);
    const withAsha = await openRoom(r, [asha]);
    const withBela = await openRoom(o, [bela]);
    const [a, b] = await connectAll(one.url, asha, bela);
    await r.waitFor('chat:online', ({ userId }) => userId === asha.id);
    await o.waitFor('chat:online', ({ userId }) => userId === bela.id);
    await roomBarrier(r, withAsha, a);
    await roomBarrier(o, withBela, b);
    expect(comingsOf(r, bela.id)).toEqual([]);
    expect(comingsOf(o, asha.id)).toEqual([]);
  });

  it('are not about who has left, and not told in rooms of more than 50; one read by index', async () => {
    const { ravi, asha, bela } = newGroup();
    const [r, b] = await connectAll(one.url, ravi, bela);
    const large = [asha, ...Array.from({ length: 49 }, (_, i) => user(`quiet${i}`))];
    await openRoom(r, large);
    const former = await openRoom(r, [asha, bela]);
    await r.ask('chat:remove_member', { conversationId: former, ...asMember(asha) });
    const queries = recordQueries(one);
    const a = await connectAs(one.url, asha);
    a.close();
    // Somebody who shares a room comes after her.
    const { ravi: other } = newGroup();
    const o = await connectAs(one.url, other);
    await openRoom(o, [bela, ravi]);
    o.close();
    await b.waitFor('chat:offline', ({ userId }) => userId === other.id);
    for (const client of [r, b]) expect(comingsOf(client, asha.id)).toEqual([]);
    const asked = queries.filter(
      ({ collection, args }) =>
        collection === 'chatrooms' &&
        JSON.stringify(args).includes('memberCount') &&
        JSON.stringify(args[0]).includes(`user:${asha.id}`),
    );
    // Her coming and her going may share one.
    expect(asked.length).toBeLessThanOrEqual(2);
    expect([...new Set(asked.map(({ method }) => method))]).toEqual(['find']);
  });
});
