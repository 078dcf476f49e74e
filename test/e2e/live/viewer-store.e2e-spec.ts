import { Redis } from 'ioredis';
import { MemoryViewerStore } from '../../../src/live/memory-viewer.store.js';
import { RedisViewerStore } from '../../../src/live/redis-viewer.store.js';
import type { ViewerStore } from '../../../src/live/viewer.store.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { type RunningRedis, startRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';

const LEASE_MS = 20_000;
/** More than go into one command. */
const MANY = 2500;
/** A Redis that hangs costs each command its time-out, 0.4 s here. */
const HANGS_MS = 3000;

let redis: RunningRedis;
beforeAll(async () => {
  redis = await startRedis();
});

let streamId: string;
let streams = 0;
beforeEach(() => {
  streams += 1;
  streamId = streams.toString(16).padStart(24, '0');
});

async function clientOf(url = redis.url): Promise<Redis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 400,
    retryStrategy: () => 50,
  });
  client.on('error', () => undefined);
  closeAfterTest(() => client.disconnect());
  await new Promise((resolve) => client.once('ready', resolve));
  return client;
}

const nodeOf = async (nodeId: string, leaseMs = LEASE_MS, url = redis.url): Promise<RedisViewerStore> =>
  new RedisViewerStore(await clientOf(url), nodeId, leaseMs);

const set = (...keys: string[]): ReadonlySet<string> => new Set(keys);
const NOBODY = set();

const stores: [string, () => Promise<ViewerStore>][] = [
  ['in memory', async () => new MemoryViewerStore()],
  ['in Redis', async () => nodeOf('the-node')],
];

describe.each(stores)('a store of viewers %s', (_, make) => {
  let store: ViewerStore;
  beforeEach(async () => {
    store = await make();
  });

  it('knows of nobody on other nodes when there are none, whatever is said', async () => {
    expect(await store.countOthers(streamId)).toBe(0);
    for (const own of [
      set('user:a'),
      set('user:a'),
      set('user:a', 'user:b'),
      NOBODY,
      NOBODY,
      set('user:c'),
    ]) {
      expect(await store.exchange(streamId, own)).toEqual(NOBODY);
      expect(await store.countOthers(streamId)).toBe(0);
    }
  });

  it('takes ids of any printable characters', async () => {
    const keys = ['user:__proto__', 'user:a:b', 'user:आशा', 'user:*', 'user:{x}', 'astrologer:'];
    expect(await store.exchange(streamId, set(...keys))).toEqual(NOBODY);
  });
});

describe('stores of viewers of several nodes', () => {
  it('see each other’s viewers, and not their own', async () => {
    const [one, two, three] = [await nodeOf('one'), await nodeOf('two'), await nodeOf('three')];
    const names = ['user:आशा', 'user:a:b', 'user:*'];
    await one.exchange(streamId, set(...names));
    expect(await two.exchange(streamId, set('user:*', 'user:z'))).toEqual(set(...names));
    expect(await one.exchange(streamId, set(...names))).toEqual(set('user:*', 'user:z'));
    expect(await three.countOthers(streamId)).toBe(4);
    expect(await two.countOthers(streamId)).toBe(3);
    // Asking says nothing.
    expect(await one.exchange(streamId, set(...names))).toEqual(set('user:*', 'user:z'));
  });

  it('see who comes and goes', async () => {
    const [one, two] = [await nodeOf('one'), await nodeOf('two')];
    for (const own of [set('user:a'), set('user:a', 'user:b'), set('user:b'), NOBODY, set('user:c')]) {
      await one.exchange(streamId, own);
      expect(await two.exchange(streamId, set('user:x'))).toEqual(own);
      // And once more, when nothing has changed.
      expect(await two.exchange(streamId, set('user:x'))).toEqual(own);
    }
  });

  it('keep streams apart', async () => {
    const [one, two] = [await nodeOf('one'), await nodeOf('two')];
    const other = `${streamId.slice(0, -1)}f`;
    await one.exchange(streamId, set('user:a'));
    await one.exchange(other, set('user:b'));
    expect(await two.exchange(streamId, NOBODY)).toEqual(set('user:a'));
    expect(await two.exchange(other, NOBODY)).toEqual(set('user:b'));
    await one.exchange(other, NOBODY);
    expect(await two.countOthers(streamId)).toBe(1);
  });

  it('take thousands', async () => {
    const [one, two] = [await nodeOf('one'), await nodeOf('two')];
    const keys = Array.from({ length: MANY }, (_, i) => `user:u${i}`);
    await one.exchange(streamId, new Set(keys));
    expect(await two.exchange(streamId, set('user:x'))).toEqual(new Set(keys));
  });

  it('are only counted in Redis by who asks how many there are', async () => {
    const [one, two] = [await nodeOf('one'), await nodeOf('two')];
    await one.exchange(streamId, new Set(Array.from({ length: MANY }, (_, i) => `user:u${i}`)));
    await two.exchange(streamId, set('user:u0', 'user:x'));
    const client = await clientOf();
    const asking = new RedisViewerStore(client, 'asking', LEASE_MS);
    const before = client.stream.bytesRead;
    expect(await asking.countOthers(streamId)).toBe(MANY + 1);
    expect(client.stream.bytesRead - before).toBeLessThan(100);
  });

  it('send one command when nothing has changed, and little when something has', async () => {
    const client = await clientOf();
    const one = new RedisViewerStore(client, 'one', LEASE_MS);
    const keys = new Set(Array.from({ length: MANY }, (_, i) => `user:u${i}`));
    await one.exchange(streamId, keys);
    await one.exchange(streamId, keys);
    const observer = await clientOf();
    const monitor = await observer.monitor();
    closeAfterTest(() => monitor.disconnect());
    const sent: string[] = [];
    const sawBarrier = new Promise<void>((resolve) => {
      monitor.on('monitor', (_: string, args: string[], source: string) => {
        if (source !== 'lua') sent.push(String(args[0]).toLowerCase());
        if (args[1] === 'barrier') resolve();
      });
    });
    for (let i = 0; i < 3; i += 1) await one.exchange(streamId, keys);
    await client.get('barrier');
    await sawBarrier;
    expect(sent).toEqual(['eval', 'eval', 'eval', 'get']);
  });

  it('lose a dead node’s viewers with its lease, and keep those of a living one', async () => {
    const [dead, living, asking] = [
      await nodeOf('dead', 300),
      await nodeOf('living', 2000),
      await nodeOf('asking'),
    ];
    await dead.exchange(streamId, set('user:a'));
    await living.exchange(streamId, set('user:b'));
    expect(await asking.exchange(streamId, set('user:c'))).toEqual(set('user:a', 'user:b'));
    const start = performance.now();
    await until(async () => {
      const others = await living.exchange(streamId, set('user:b'));
      return !others.has('user:a') && performance.now() - start > 3000;
    });
    expect(await asking.exchange(streamId, set('user:c'))).toEqual(set('user:b'));
    // A node that was only slow says it again.
    await until(async () => {
      await dead.exchange(streamId, set('user:a'));
      return (await asking.exchange(streamId, set('user:c'))).has('user:a');
    });
  });

  it('leave nothing behind but what lapses by itself', async () => {
    const client = await clientOf();
    const one = new RedisViewerStore(client, 'one', LEASE_MS);
    await one.exchange(streamId, set('user:a'));
    const keysOf = async () => (await client.keys(`*${streamId}*`)).toSorted();
    for (const key of await keysOf()) expect(await client.pttl(key)).toBeGreaterThan(0);
    await one.exchange(streamId, NOBODY);
    for (const key of await keysOf()) expect(await client.pttl(key)).toBeGreaterThan(0);
    expect((await keysOf()).filter((key) => key.endsWith(':one'))).toEqual([]);
  });
});

describe('a store of viewers whose Redis', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'goes away (%s) counts the others until their lease is over, waits for nothing long, and sees all when it is back',
    async (signal) => {
      let mine = await startRedis();
      const [one, two] = [await nodeOf('one', 5000, mine.url), await nodeOf('two', 5000, mine.url)];
      await one.exchange(streamId, set('user:a'));
      const said = performance.now();
      expect(await two.exchange(streamId, set('user:b'))).toEqual(set('user:a'));

      if (signal === 'SIGKILL') await mine.kill();
      else mine.child.kill('SIGSTOP');
      const start = performance.now();
      const others = await two.exchange(streamId, set('user:b', 'user:c'));
      const count = await two.countOthers(streamId);
      expect(performance.now() - start).toBeLessThan(HANGS_MS);
      if (performance.now() - said < 5000) expect([others, count]).toEqual([set('user:a'), 1]);
      await until(async () => (await two.exchange(streamId, set('user:b'))).size === 0);
      expect(performance.now() - said).toBeGreaterThan(5000 - 10);
      expect(await two.countOthers(streamId)).toBe(0);

      if (signal === 'SIGKILL') mine = await startRedis(mine.port);
      else mine.child.kill('SIGCONT');
      await until(async () => {
        const [a, b] = [
          await one.exchange(streamId, set('user:a')),
          await two.exchange(streamId, set('user:b')),
        ];
        return a.has('user:b') && b.has('user:a');
      });
    },
  );

  it('is emptied sees all again when half of the lease is over', async () => {
    const mine = await startRedis();
    const [one, two] = [await nodeOf('one', 1000, mine.url), await nodeOf('two', 1000, mine.url)];
    await one.exchange(streamId, set('user:a'));
    await two.exchange(streamId, set('user:b'));
    await (await clientOf(mine.url)).flushall();
    await until(async () => {
      const [a, b] = [
        await one.exchange(streamId, set('user:a')),
        await two.exchange(streamId, set('user:b')),
      ];
      return a.has('user:b') && b.has('user:a');
    });
  });
});
