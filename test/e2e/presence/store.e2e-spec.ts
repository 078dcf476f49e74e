import { Redis } from 'ioredis';
import { MemoryPresenceStore } from '../../../src/presence/memory-presence.store.js';
import type { PresenceStore } from '../../../src/presence/presence.store.js';
import { PresenceTimes } from '../../../src/presence/presence-times.js';
import { RedisPresenceStore } from '../../../src/presence/redis-presence.store.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { type RunningRedis, startRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';

let redis: RunningRedis;

beforeAll(async () => {
  redis = await startRedis();
});

async function redisClient(url = redis.url): Promise<Redis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 400,
    socketTimeout: 1000,
    retryStrategy: () => 50,
  });
  client.on('error', () => undefined);
  closeAfterTest(() => client.disconnect());
  await new Promise((resolve) => client.once('ready', resolve));
  return client;
}

interface Node {
  store: RedisPresenceStore;
  client: Redis;
}

async function redisNode(nodeId: string, times: Partial<PresenceTimes> = {}): Promise<Node> {
  const client = await redisClient();
  const store = new RedisPresenceStore(client, nodeId, Object.assign(new PresenceTimes(), times));
  closeAfterTest(() => store.close());
  return { store, client };
}

const stores: [string, () => Promise<PresenceStore>][] = [
  ['in memory', async () => new MemoryPresenceStore()],
  ['in Redis', async () => (await redisNode('the-node')).store],
];

describe.each(stores)('a store of presence %s', (_, make) => {
  let store: PresenceStore;
  beforeEach(async () => {
    store = await make();
  });

  it('says who is online, in the order of the question', async () => {
    await store.add('user:a');
    await store.add('astrologer:b');
    expect(await store.areOnline(['user:x', 'astrologer:b', 'user:b', 'user:a', 'user:a'])).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(await store.areOnline([])).toEqual([]);
  });

  it('forgets who has gone, and may be told twice', async () => {
    await store.add('user:a');
    await store.add('user:a');
    await store.remove('user:a');
    expect(await store.areOnline(['user:a'])).toEqual([false]);
    await store.remove('user:a');
    await store.add('user:a');
    expect(await store.areOnline(['user:a'])).toEqual([true]);
  });

  it('knows those on its own node without asking anybody', async () => {
    await store.add('user:a');
    expect(store.areOnline(['user:a'])).toEqual([true]);
  });

  it('counts by type', async () => {
    for (const key of ['user:a', 'user:b', 'astrologer:a', 'admin:admin']) await store.add(key);
    await store.remove('user:b');
    expect(await store.count()).toEqual({ user: 1, astrologer: 1, admin: 1 });
  });

  it('takes ids of any printable characters', async () => {
    const keys = ['user:__proto__', 'user:a:b', 'user:आशा', 'user:*', 'user:{x}'];
    for (const key of keys) await store.add(key);
    expect(await store.areOnline([...keys, 'user:', 'user:a'])).toEqual([
      ...keys.map(() => true),
      false,
      false,
    ]);
  });

  it('holds nobody when it is closed', async () => {
    await store.add('user:a');
    await store.close();
    expect(await store.areOnline(['user:a'])).toEqual([false]);
  });
});

describe('stores of several nodes', () => {
  it('see each other, and count everybody once', async () => {
    const [one, two] = [await redisNode('one'), await redisNode('two')];
    await one.store.add('user:a');
    await two.store.add('user:a');
    await two.store.add('user:b');
    expect(await one.store.areOnline(['user:a', 'user:b', 'user:c'])).toEqual([true, true, false]);
    expect(await one.store.count()).toEqual({ user: 2, astrologer: 0, admin: 0 });
    await one.store.remove('user:a');
    expect(await one.store.areOnline(['user:a'])).toEqual([true]);
    await two.store.remove('user:a');
    expect(await one.store.areOnline(['user:a'])).toEqual([false]);
  });

  it('need one command for a batch, however large', async () => {
    const [one, two] = [await redisNode('one'), await redisNode('two')];
    const keys = Array.from({ length: 500 }, (_, i) => `user:u${i}`);
    for (const key of keys.slice(0, 250)) await one.store.add(key);
    for (const key of keys.slice(250)) await two.store.add(key);
    const observer = await redisClient();
    const sent: string[] = [];
    const monitor = await observer.monitor();
    closeAfterTest(() => monitor.disconnect());
    const sawBarrier = new Promise<void>((resolve) => {
      monitor.on('monitor', (_: string, args: string[], source: string) => {
        if (source !== 'lua') sent.push(String(args[0]).toLowerCase());
        if (args[1] === 'barrier') resolve();
      });
    });
    expect(await one.store.areOnline([...keys, 'user:nobody'])).toEqual([...keys.map(() => true), false]);
    await one.client.get('barrier');
    await sawBarrier;
    expect(sent.filter((name) => name !== 'info')).toEqual(['eval', 'get']);
  });

  it("a dead node's people lapse with its lease; those of a living one do not", async () => {
    const dead = await redisNode('dead', { leaseMs: 300, renewalMs: 3_600_000 });
    const living = await redisNode('living', { leaseMs: 2000, renewalMs: 100 });
    const asking = await redisNode('asking');
    await dead.store.add('user:a');
    await living.store.add('user:b');
    expect(await asking.store.areOnline(['user:a', 'user:b'])).toEqual([true, true]);
    await until(async () => !(await asking.store.areOnline(['user:a']))[0]);
    expect(await asking.store.areOnline(['user:a', 'user:b'])).toEqual([false, true]);
    const nodes = async () => (await asking.client.smembers('{samvad:presence}')).toSorted();
    await until(async () => JSON.stringify(await nodes()) === '["living"]');
  });

  it('a node that was taken for lost writes its people again', async () => {
    const slow = await redisNode('slow', { renewalMs: 100 });
    const asking = await redisNode('asking');
    await slow.store.add('user:a');
    await asking.store.forgetNode('slow');
    await until(async () => (await asking.store.areOnline(['user:a']))[0] ?? false);
  });
});

describe('while Redis is away', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    '%s: a node knows its own sockets, waits for nothing long, and is seen again afterwards',
    async (signal) => {
      let mine = await startRedis();
      const connect = async (nodeId: string) => {
        const client = await redisClient(mine.url);
        const store = new RedisPresenceStore(
          client,
          nodeId,
          Object.assign(new PresenceTimes(), { renewalMs: 200 }),
        );
        closeAfterTest(() => store.close());
        return store;
      };
      const [one, two] = [await connect('one'), await connect('two')];
      await one.add('user:before');
      await one.add('user:leaves');

      if (signal === 'SIGKILL') await mine.kill();
      else mine.child.kill('SIGSTOP');
      const start = performance.now();
      await one.add('user:during');
      await one.remove('user:leaves');
      for (let i = 0; i < 20; i += 1) {
        expect(await one.areOnline(['user:before', 'user:during', 'user:leaves', 'user:x'])).toEqual([
          true,
          true,
          false,
          false,
        ]);
        expect(await two.areOnline(['user:before'])).toEqual([false]);
      }
      expect(await one.count()).toEqual({ user: 2, astrologer: 0, admin: 0 });
      // Each of the two clients may wait for one time-out of 0.4 s, twice if the rest is over; not 40 times.
      expect(performance.now() - start).toBeLessThan(4000);

      if (signal === 'SIGKILL') mine = await startRedis(mine.port);
      else mine.child.kill('SIGCONT');
      await until(async () => {
        const found = await two.areOnline(['user:before', 'user:during', 'user:leaves']);
        return JSON.stringify(found) === '[true,true,false]';
      });
    },
  );

  it('only one newcomer in a second waits for a Redis that hangs', async () => {
    const mine = await startRedis();
    const store = new RedisPresenceStore(await redisClient(mine.url), 'the-node', new PresenceTimes());
    closeAfterTest(() => store.close());
    mine.child.kill('SIGSTOP');
    closeAfterTest(() => mine.child.kill('SIGCONT'));
    await store.add('user:first');
    const waits = new Promise((resolve) => setImmediate(() => resolve('waits')));
    expect(await Promise.race([store.add('user:second').then(() => 'is here'), waits])).toBe('is here');
    expect(await Promise.race([store.areOnline(['user:other']), waits])).toEqual([false]);
  });
});
