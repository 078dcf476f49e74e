import { Redis } from 'ioredis';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { lineTo } from '../../support/cut-off.js';
import { sendTo } from '../../support/direct-chat.js';
import { type RunningRedis, startRedis } from '../../support/redis.js';
import { astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const STREAM = 'samvad:broadcasts';
/** What is older than 5 s is not delivered any more. */
const TOO_OLD_MS = 7000;

interface Cluster {
  redis: RunningRedis;
  raw: Redis;
  one: TestApp;
  /** On the first node. */
  asha: TestClient;
  /** On the second one. */
  ravi: TestClient;
}

/** @param linePort gives the port through which the second node reaches Redis */
async function startCluster(linePort?: (port: number) => Promise<number>): Promise<Cluster> {
  const redis = await startRedis();
  const port = (await linePort?.(redis.port)) ?? redis.port;
  const one = await startApp({ REDIS_URL: redis.url });
  const variables = { REDIS_URL: `redis://127.0.0.1:${port}`, MONGODB_URI: one.mongoUri };
  const two = await startApp(variables);
  const raw = new Redis(redis.url);
  closeAfterTest(() => raw.disconnect());
  const asha = await connectAs(one.url, user('asha'));
  const ravi = await connectAs(two.url, astrologer('ravi'));
  await say(asha, 'first');
  await ravi.waitFor('dm:message_received');
  return { redis, raw, one, asha, ravi };
}

const say = (client: TestClient, content: string) => sendTo(client, astrologer('ravi'), { content });

const heard = (client: TestClient): string[] =>
  client.all('dm:message_received').map(({ content }) => content);

/** What was in the stream before has been read then. */
const sayUntilHeard = ({ asha, ravi }: Cluster) =>
  until(async () => {
    await say(asha, 'last');
    return heard(ravi).includes('last');
  });

const ageOf = (start: number) => performance.now() - start;

it('a node that was cut off from Redis does not deliver afterwards what is old by then', async () => {
  let line: Awaited<ReturnType<typeof lineTo>> | undefined;
  const cluster = await startCluster(async (port) => {
    line = await lineTo(port);
    return line.port;
  });
  line?.cut();
  await say(cluster.asha, 'old');
  const start = performance.now();
  await until(() => ageOf(start) > TOO_OLD_MS);
  line?.heal();
  await sayUntilHeard(cluster);
  expect(heard(cluster.ravi)).not.toContain('old');
});

it('what was sent while Redis hung is not delivered when it is old by then', async () => {
  const cluster = await startCluster();
  cluster.redis.child.kill('SIGSTOP');
  closeAfterTest(() => cluster.redis.child.kill('SIGCONT'));
  const start = performance.now();
  for (let i = 0; i < 4; i += 1) await say(cluster.asha, 'old');
  await until(() => ageOf(start) > TOO_OLD_MS);
  cluster.redis.child.kill('SIGCONT');
  await sayUntilHeard(cluster);
  expect(heard(cluster.ravi)).not.toContain('old');
});

it.each([
  ['3', '{}'],
  ['3', '{"packet":'],
  ['3', ''],
  ['7', '{}'],
  ['x', '?'],
])('an entry that makes no sense (type %s, data %j) is passed over', async (type, data) => {
  const cluster = await startCluster();
  await cluster.raw.xadd(STREAM, '*', 'uid', 'x', 'nsp', '/', 'type', type, 'data', data);
  await say(cluster.asha, 'after');
  await cluster.ravi.waitFor('dm:message_received', ({ content }) => content === 'after');
});

it('a stream that begins anew, with a clock behind, is read from its beginning', async () => {
  const cluster = await startCluster();
  const { raw, ravi, asha } = cluster;
  const marker = { packet: { type: 2, data: ['marker'], nsp: '/' }, opts: { rooms: [], except: [] } };
  const entry = ['uid', 'x', 'nsp', '/', 'type', '3', 'data', JSON.stringify(marker)];
  await raw.xadd(STREAM, `${Date.now() + 3_600_000}-0`, ...entry);
  await until(() => ravi.received.some(({ event }) => event === 'marker'));
  await raw.flushall();
  await sayUntilHeard(cluster);
  // Each once.
  await say(asha, 'end');
  await ravi.waitFor('dm:message_received', ({ content }) => content === 'end');
  const ids = ravi.all('dm:message_received').map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it.each([
  ['is full', 'OOM', ['CONFIG', 'SET', 'maxmemory', '1mb'], ['CONFIG', 'SET', 'maxmemory', '0']],
  [
    'does not allow it',
    'NOPERM',
    ['ACL', 'SETUSER', 'default', '-xadd'],
    ['ACL', 'SETUSER', 'default', '+xadd'],
  ],
] as const)(
  'when Redis %s, one line of each node and the health say so until it is over',
  async (_, code, refuse, allow) => {
    const cluster = await startCluster();
    const lines: string[] = [];
    const note = (line: unknown): void => void lines.push(String(line));
    cluster.one.app.useLogger({ log: note, warn: note, error: note, debug: () => undefined });
    closeAfterTest(() => cluster.one.app.useLogger(false));
    const isReachable = async (): Promise<boolean> => {
      const answer = await fetch(`${cluster.one.url}/health/ready`);
      const { info } = (await answer.json()) as { info: { redis: { isReachable: boolean } } };
      return info.redis.isReachable;
    };
    expect(await isReachable()).toBe(true);
    await cluster.raw.call(refuse[0], refuse.slice(1));
    for (let i = 0; i < 5; i += 1) await say(cluster.asha, 'refused');
    await until(async () => !(await isReachable()));
    await until(() => lines.length > 0);
    // Nest has one logger for both nodes, and the other node may have something to tell just now, too.
    const refusals = [...lines];
    expect([1, 2]).toContain(refusals.length);
    for (const line of refusals) expect(line).toContain(code);
    await cluster.raw.call(allow[0], allow.slice(1));
    await sayUntilHeard(cluster);
    await until(isReachable);
    const later = lines.slice(refusals.length).filter((line) => !line.includes(code));
    expect([1, 2]).toContain(later.length);
  },
);
