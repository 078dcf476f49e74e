import { startApp, type TestApp } from '../../support/app.js';
import { openRoom, roomBarrier, saidTo, say } from '../../support/chat-room.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { type Query, recordQueries } from '../../support/query-plans.js';
import { astrologer, type Person, user } from '../../support/token.js';

const CONNECTED_AT_ONCE = 25;
const MESSAGES = 10;
/** What nodes ask for in their own time. */
const NOT_OF_MESSAGES = new Set(['nodes', 'calls', 'blocks', 'pushretries', 'pushcancels']);

let server: TestApp;
let queries: Query[];

beforeAll(async () => {
  server = await startApp();
  queries = recordQueries(server);
});

async function connectCrowd(people: Person[]): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  while (clients.length < people.length) {
    const batch = people.slice(clients.length, clients.length + CONNECTED_AT_ONCE);
    clients.push(...(await Promise.all(batch.map((person) => connectAs(server.url, person)))));
  }
  return clients;
}

/** What is asked of the database for one message, in a room where nothing else happens; sorted. */
async function costOf(sender: TestClient, conversationId: string): Promise<string[]> {
  const of = (query: Query): string => `${query.collection}.${query.method}`;
  const isOfRooms = ({ collection, args }: Query): boolean =>
    collection.startsWith('chat') && !JSON.stringify(args).includes('notices.at');
  queries.length = 0;
  await say(sender, conversationId, 'counted');
  const before = queries.filter(isOfRooms).map(of);
  const others = queries.filter((query) => !isOfRooms(query) && !NOT_OF_MESSAGES.has(query.collection));
  // People came just now, and their coming is still being noted; a message does nothing to them.
  expect(others.filter(({ collection }) => !/^(presence|openrooms|live|chatrooms)/.test(collection))).toEqual(
    [],
  );
  return before.toSorted();
}

it.each([2, 50, 500])(
  'in a room of %d every member’s every socket gets every message once, in order, at the same cost',
  async (size) => {
    const ravi = astrologer(`ravi-of-${size}`);
    const crowd = Array.from({ length: size - 1 }, (_, i) => user(`m${i}-of-${size}`));
    const [r, ...members] = (await connectCrowd([ravi, ...crowd])) as [TestClient, ...TestClient[]];
    // Some have two devices, and some have joined.
    const second = await connectCrowd(crowd.slice(0, 10));
    const conversationId = await openRoom(r, crowd);
    for (const client of [r, ...second]) await client.ask('chat:join', { conversationId });
    const everybody = [r, ...members, ...second];
    const sent = await Promise.all(
      Array.from({ length: MESSAGES }, (_, i) =>
        say(i % 2 === 0 ? r : (members[0] as TestClient), conversationId, `m${i}`),
      ),
    );
    await roomBarrier(r, conversationId, ...everybody);
    const order = sent.toSorted((a, b) => a.seq - b.seq).map(({ message }) => message);
    for (const client of everybody) expect(saidTo(client)).toEqual([...order, 'barrier']);
    const cost = await costOf(r, conversationId);
    // What rooms note of messages is written behind them, of those before at this moment perhaps.
    expect(cost.filter((query) => query !== 'chatrooms.bulkWrite')).toEqual([
      'chatmessages.insertMany',
      'chatrooms.findOne',
      'chatrooms.findOne',
    ]);
  },
);
