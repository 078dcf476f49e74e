import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { isOnline, withPresenceTimes } from '../../support/presence.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { startRedis } from '../../support/redis.js';
import { admin, astrologer, user } from '../../support/token.js';

const conversationId = 'user_asha_ravi';

let redisUrl: string;
let one: TestApp;
let two: TestApp;

beforeAll(async () => {
  ({ url: redisUrl } = await startRedis());
  const variables = { REDIS_URL: redisUrl };
  const short = [withPresenceTimes({ offlineDelayMs: 300 })];
  one = await startApp(variables, [], short);
  two = await startApp({ ...variables, MONGODB_URI: one.mongoUri }, [], short);
});

const say = (client: TestClient, content: string) => sendTo(client, astrologer('ravi'), { content });

describe('two nodes with one database and one Redis', () => {
  it('a message reaches each socket on each node once, whether or not it joined a room', async () => {
    const sender = await connectAs(one.url, user('asha'));
    await say(sender, 'the first makes the conversation');
    const receivers = await Promise.all(
      [one, two].flatMap(({ url }) => [
        connectAs(url, astrologer('ravi')),
        connectAs(url, astrologer('ravi')),
        connectAs(url, user('asha')),
      ]),
    );
    for (const joined of [receivers[0], receivers[3], receivers[5]])
      await joined?.ask('dm:join_conversation', { conversationId });
    const staff = await connectAs(two.url, admin('root'));
    await staff.ask('dm:join_conversation', { conversationId });
    const everybody = [sender, ...receivers, staff];

    const sent: string[] = [];
    for (let i = 0; i < 20; i += 1) sent.push((await say(sender, `message ${i}`)).id);
    await Promise.all(
      everybody.map((client) => client.waitFor('dm:message_received', ({ id }) => id === sent.at(-1))),
    );
    for (const client of everybody) {
      const got = client.all('dm:message_received').map(({ id }) => id);
      expect(got.filter((id) => sent.includes(id))).toEqual(sent);
    }
  });

  it('nothing is missed by a node that just started', async () => {
    const sender = await connectAs(one.url, user('asha'));
    for (let i = 0; i < 3; i += 1) {
      const late = await startApp({ REDIS_URL: redisUrl, MONGODB_URI: one.mongoUri });
      const ravi = await connectAs(late.url, astrologer('ravi'));
      const { id } = await say(sender, 'hello');
      await ravi.waitFor('dm:message_received', (message) => message.id === id);
      await late.app.close();
    }
  });

  it('the sending socket alone is left out when it is told by dm:message_sent', async () => {
    const quiet = await startApp({
      REDIS_URL: redisUrl,
      MONGODB_URI: one.mongoUri,
      DM_ECHO_TO_SENDER: 'false',
    });
    const [sender, other] = [
      await connectAs(quiet.url, user('asha')),
      await connectAs(two.url, user('asha')),
    ];
    const { id } = await say(sender, 'from one of two devices');
    await other.waitFor('dm:message_received', (message) => message.id === id);
    await sender.waitFor('dm:message_sent', (message) => message.id === id);
    expect(sender.all('dm:message_received')).toEqual([]);
  });

  it('who is on one is online for the other, until no socket is left on either', async () => {
    const asha = await connectAs(one.url, user('asha'));
    const [here, there] = [await connectAs(one.url, user('mira')), await connectAs(two.url, user('mira'))];
    const gone = (client: TestClient) => new Promise((resolve) => client.socket.once('disconnect', resolve));
    expect(await isOnline(asha, user('mira'))).toBe(true);
    here.close();
    expect(await isOnline(asha, user('mira'))).toBe(true);
    const closed = gone(there);
    there.close();
    await closed;
    while (await isOnline(asha, user('mira'))) await asha.ask('get_stats');
  });

  it('counts people of both nodes once', async () => {
    const root = await connectAs(one.url, admin('root'));
    await connectAs(one.url, astrologer('both'));
    await connectAs(two.url, astrologer('both'));
    const before = (await root.ask<{ onlineAstrologers: number }>('get_stats')).onlineAstrologers;
    await connectAs(two.url, astrologer('another'));
    const after = (await root.ask<{ onlineAstrologers: number }>('get_stats')).onlineAstrologers;
    expect(after - before).toBe(1);
  });

  it('admins on both nodes are told once of an astrologer who comes, changes the node, and goes', async () => {
    const staff = [await connectAs(one.url, admin('root')), await connectAs(two.url, admin('root'))];
    const told = (isNowOnline: boolean) =>
      Promise.all(
        staff.map((client) =>
          client.waitFor(
            'astrologer:status_changed',
            ({ astrologerId, isOnline: is }) => astrologerId === 'tara' && is === isNowOnline,
          ),
        ),
      );
    const first = await connectAs(one.url, astrologer('tara'));
    await told(true);
    const second = await connectAs(two.url, astrologer('tara'));
    first.close();
    second.close();
    await told(false);
    // A later change arrives after everything that was told before it.
    await connectAs(one.url, astrologer('barrier'));
    await connectAs(two.url, astrologer('barrier2'));
    for (const client of staff) {
      for (const id of ['barrier', 'barrier2'])
        await client.waitFor('astrologer:status_changed', ({ astrologerId }) => astrologerId === id);
      expect(
        client
          .all('astrologer:status_changed')
          .filter(({ astrologerId }) => astrologerId === 'tara')
          .map(({ isOnline: is }) => is),
      ).toEqual([true, false]);
    }
  });

  it('are ready, and say that Redis is there', async () => {
    const ready = await fetch(`${one.url}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      { info: { redis: { status: 'up', isReachable: true } } },
    ]);
  });
});

describe('a node that is killed with SIGKILL', () => {
  it('takes nobody with it for longer than 30 s', async () => {
    const mongo = await startMongo(await temporaryFolder());
    const variables = { REDIS_URL: (await startRedis()).url, MONGODB_URI: mongo.address };
    const living = await startApp(variables);
    const dying = await startServer(await temporaryFolder(), variables);
    const root = await connectAs(living.url, admin('root'));
    await connectAs(dying.address, astrologer('ravi'));
    await connectAs(dying.address, user('asha'));
    await root.waitFor('astrologer:status_changed', ({ isOnline: is }) => is);
    expect(await isOnline(root, user('asha'))).toBe(true);

    const killedAt = Date.now();
    await dying.stop('SIGKILL');
    const toldAt = new Promise<number>((resolve) => {
      root.socket.on('astrologer:status_changed', (change: { isOnline: boolean }) => {
        if (!change.isOnline) resolve(Date.now());
      });
    });
    expect((await toldAt) - killedAt).toBeLessThan(30_000);
    expect(await isOnline(root, user('asha'))).toBe(false);
    expect(await isOnline(root, astrologer('ravi'))).toBe(false);
    await living.app.close();
    await mongo.stop();
  });
});
