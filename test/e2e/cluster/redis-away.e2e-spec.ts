import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { isOnline } from '../../support/presence.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { startRedis } from '../../support/redis.js';
import { astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const say = (client: TestClient, content: string) => sendTo(client, astrologer('ravi'), { content });

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('Redis goes away while two nodes run', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    '%s: a node serves its own sockets without delay, and all of them again when it is back',
    async (signal) => {
      const mongo = await startMongo(await temporaryFolder());
      let redis = await startRedis();
      const variables = { REDIS_URL: redis.url, MONGODB_URI: mongo.address };
      const [one, two] = [
        await startServer(await temporaryFolder(), variables),
        await startServer(await temporaryFolder(), variables),
      ];
      const asha = await connectAs(one.address, user('asha'));
      const [here, there] = [
        await connectAs(one.address, astrologer('ravi')),
        await connectAs(two.address, astrologer('ravi')),
      ];
      const before = await say(asha, 'before');
      await there.waitFor('dm:message_received', ({ id }) => id === before.id);

      if (signal === 'SIGKILL') await redis.kill();
      else redis.child.kill('SIGSTOP');
      const start = performance.now();
      for (let i = 0; i < 10; i += 1) {
        const { id } = await say(asha, `during ${i}`);
        await here.waitFor('dm:message_received', (message) => message.id === id);
      }
      // Ten messages; one that waited for Redis would take longer alone.
      expect(performance.now() - start).toBeLessThan(3000);
      const newcomer = await connectAs(two.address, user('newcomer'));
      expect(await isOnline(asha, astrologer('ravi'))).toBe(true);
      expect(await isOnline(asha, user('newcomer'))).toBe(false);
      const ready = await fetch(`${one.address}/health/ready`);
      expect([ready.status, await ready.json()]).toMatchObject([
        200,
        { info: { redis: { isReachable: false } } },
      ]);
      for (const node of [one, two]) await until(() => node.output().includes('Redis is away'));

      if (signal === 'SIGKILL') redis = await startRedis(redis.port);
      else redis.child.kill('SIGCONT');
      for (const node of [one, two]) await until(() => node.output().includes('Redis is back'));
      // Until the other node reads again; it takes up to a second to connect.
      await until(async () => {
        const { id } = await say(asha, 'after');
        await here.waitFor('dm:message_received', (message) => message.id === id);
        return there.all('dm:message_received').some(({ content }) => content === 'after');
      });
      await until(async () => (await isOnline(asha, user('newcomer'))) ?? false);
      expect(newcomer.socket.connected).toBe(true);
      const ids = there.all('dm:message_received').map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const node of [one, two]) {
        expect(count(node.output(), 'Redis is away')).toBe(1);
        expect(count(node.output(), 'ERROR')).toBe(0);
        expect(await node.stop()).toBe(0);
      }
      await mongo.stop();
    },
  );
});

describe('Redis is away at the start', () => {
  it('the node starts, says so once, and uses it when it is there', async () => {
    const gone = await startRedis();
    await gone.kill();
    const node = await startServer(await temporaryFolder(), { REDIS_URL: gone.url });
    const asha = await connectAs(node.address, user('asha'));
    await say(asha, 'hello');
    await asha.waitFor('dm:message_received');
    await startRedis(gone.port);
    await until(() => node.output().includes('Redis is back'));
    expect(count(node.output(), 'Redis is away')).toBe(1);
    expect(await node.stop()).toBe(0);
  });
});
