import { Redis } from 'ioredis';
import { ViewerCountsService } from '../../../src/live/viewer-counts.service.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { type Line, lineTo } from '../../support/cut-off.js';
import { refusal } from '../../support/direct-chat.js';
import {
  about,
  breakOff,
  broadcastAs,
  countReaches,
  ENDED,
  listed,
  newCast,
  settle,
  start,
  storedStream,
  told,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { withPresenceTimes } from '../../support/presence.js';
import { type RunningRedis, startRedis } from '../../support/redis.js';
import { admin } from '../../support/token.js';
import { until } from '../../support/until.js';

const LEASE_MS = 1500;
const short = [withLiveTimes({ countIntervalMs: 50, lingerMs: 300, leaseMs: LEASE_MS })];

let redis: RunningRedis;
let one: TestApp;
let two: TestApp;
beforeAll(async () => {
  redis = await startRedis();
  one = await startApp({ REDIS_URL: redis.url }, [], short);
  two = await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri }, [], short);
});

let { tara, asha, veer, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, veer, mira } = newCast());
});

/** A third node, whose way to Redis can be cut. */
async function startThird(): Promise<{ third: TestApp; line: Line }> {
  const line = await lineTo(redis.port);
  const variables = { REDIS_URL: `redis://127.0.0.1:${line.port}`, MONGODB_URI: one.mongoUri };
  return { third: await startApp(variables, [], short), line };
}

describe('a stream on two nodes', () => {
  it('is told to everybody on both, when it starts and when it ends, once', async () => {
    const strangers = [await connectAs(one.url, mira), await connectAs(two.url, mira)];
    const { host, streamId } = await broadcastAs(one.url, tara);
    const [here, there] = [await watchAs(one.url, asha, streamId), await watchAs(two.url, veer, streamId)];
    for (const stranger of strangers)
      await stranger.waitFor('live:stream_started', (s) => s.streamId === streamId);
    // From the node on which the broadcaster is not.
    const staff = await connectAs(two.url, admin('root'));
    await staff.ask('live:end', { streamId });
    for (const client of [host, here, there, ...strangers])
      await client.waitFor('live:stream_ended', (ended) => ended.streamId === streamId);
    // What follows on the same way has come: so has whatever was sent twice.
    const next = await start(staff.socket.connected ? await connectAs(two.url, tara) : host);
    for (const client of [host, here, there, ...strangers])
      await client.waitFor('live:stream_started', (s) => s.streamId === next.streamId);
    for (const viewer of [here, there])
      expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(host, streamId)).toEqual(['live:stream_started', 'live:end', 'live:stream_ended']);
    for (const stranger of strangers)
      expect(told(stranger, streamId)).toEqual(['live:stream_started', 'live:stream_ended']);
    for (const client of [here, there])
      expect(await refusal(client, 'live:join', { streamId })).toEqual(ENDED);
  });

  it.each([
    ['of its viewers', false],
    ['of those whose connections broke just before', true],
  ])('ends without a word for each %s on the other one', async (_, breaks) => {
    const { host, streamId } = await broadcastAs(one.url, tara);
    const there = [
      await watchAs(two.url, veer, streamId),
      await watchAs(two.url, asha, streamId),
      await watchAs(two.url, mira, streamId),
    ];
    await countReaches(3, streamId, host, ...there);
    await there[0]?.ask('live:leave', { streamId });
    await countReaches(2, streamId, host);
    if (breaks) for (const viewer of there.slice(1)) breakOff(viewer);
    await host.ask('live:end', { streamId });
    const counts = two.app.get(ViewerCountsService, { strict: false });
    await until(() => !counts.watchedHere().includes(streamId));
    const client = new Redis(redis.url);
    const sent = (await client.xrange('samvad:broadcasts', '-', '+')).flatMap(([, fields]) => fields);
    client.disconnect();
    const departures = sent.filter((field) => field.includes('viewer_left') && field.includes(streamId));
    expect(departures).toHaveLength(1);
    expect(departures[0]).toContain(veer.id);
  });

  it('has no former one beside it, on whichever node that was started', async () => {
    const { host, streamId: former } = await broadcastAs(one.url, tara);
    const viewer = await watchAs(two.url, asha, former);
    const { streamId } = await broadcastAs(two.url, tara);
    for (const client of [host, viewer]) await client.waitFor('live:end', (end) => end.streamId === former);
    await host.waitFor('live:stream_started', (s) => s.streamId === streamId);
    expect(await listed(host, former)).toBeUndefined();
    expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
  });

  it('counts the viewers of both, each once, and tells both', async () => {
    const { host, streamId } = await broadcastAs(one.url, tara);
    const here = await watchAs(one.url, asha, streamId);
    const there = await watchAs(two.url, asha, streamId);
    const other = await watchAs(two.url, veer, streamId);
    await countReaches(2, streamId, host, here, there, other);
    await watchAs(two.url, tara, streamId);
    const last = await watchAs(one.url, mira, streamId);
    await countReaches(3, streamId, host, here, there, other, last);
    for (const client of [host, here])
      for (const { id } of [mira, veer])
        await client.waitFor('live:viewer_joined', (joined) => joined.user.id === id);
    await until(async () => (await storedStream(one, streamId)).peakViewerCount === 3);
    await until(async () => (await listed(there, streamId))?.viewerCount === 3);

    await here.ask('live:leave', { streamId });
    await last.ask('live:leave', { streamId });
    await countReaches(2, streamId, host, there, other);
    breakOff(other);
    await countReaches(1, streamId, host, there);
    for (const client of [host, there])
      await client.waitFor('live:viewer_left', (left) => left.user.id === veer.id);
    const names = (event: 'live:viewer_joined' | 'live:viewer_left') =>
      about(host, event, streamId).map(({ user }) => user.id);
    expect(names('live:viewer_joined').toSorted()).toEqual([asha.id, veer.id, mira.id].toSorted());
    expect(names('live:viewer_left')).toEqual([mira.id, veer.id]);
    expect((await storedStream(one, streamId)).peakViewerCount).toBe(3);
  });

  it('counts those on the other node alone, for whoever asks', async () => {
    const { streamId } = await broadcastAs(one.url, tara);
    await watchAs(two.url, asha, streamId);
    const third = await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri }, [], short);
    const stranger = await connectAs(third.url, mira);
    await until(async () => (await listed(stranger, streamId))?.viewerCount === 1);
    await third.app.close();
  });

  it('loses nobody who comes back to the other node in time', async () => {
    const patient = [withLiveTimes({ countIntervalMs: 50, lingerMs: 3000 })];
    const nodes = [
      await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri }, [], patient),
      await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri }, [], patient),
    ] as const;
    const { host, streamId } = await broadcastAs(nodes[0].url, tara);
    const [viewer, gone] = [
      await watchAs(nodes[0].url, asha, streamId),
      await watchAs(nodes[0].url, veer, streamId),
    ];
    await countReaches(2, streamId, host);
    breakOff(viewer);
    const back = await connectAs(nodes[1].url, asha);
    breakOff(gone);
    await countReaches(1, streamId, host, back);
    const left = about(host, 'live:viewer_left', streamId).map(({ user }) => user.id);
    expect(left).toEqual([veer.id]);
    expect(about(host, 'live:viewer_joined', streamId)).toHaveLength(2);
    for (const { app } of nodes) await app.close();
  });
});

describe('a node that dies', () => {
  it('takes its viewers out of the count within its lease', async () => {
    const { third, line } = await startThird();
    const { host, streamId } = await broadcastAs(one.url, tara);
    await watchAs(one.url, asha, streamId);
    const lost = await watchAs(third.url, veer, streamId);
    await countReaches(2, streamId, host, lost);
    // For the others it is as dead as if it had been killed: it says nothing any more.
    const before = performance.now();
    line.cut();
    await countReaches(1, streamId, host);
    expect(performance.now() - before).toBeLessThan(LEASE_MS + 10_000);
    line.heal();
    await countReaches(2, streamId, host, lost);
    await third.app.close();
  });

  it('in good order hands its viewers over to where they come back', async () => {
    const third = await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri }, [], short);
    const { host, streamId } = await broadcastAs(one.url, tara);
    const viewer = await watchAs(third.url, asha, streamId);
    await countReaches(1, streamId, host, viewer);
    await third.app.close();
    const back = await connectAs(two.url, asha);
    const other = await watchAs(two.url, veer, streamId);
    await countReaches(2, streamId, host, back, other);
  });
});

describe('while Redis is away', () => {
  it('each node counts its own viewers, and all of them again when it is back', async () => {
    let mine = await startRedis();
    const times = [...short, withPresenceTimes({ renewalMs: 200 })];
    const near = await startApp({ REDIS_URL: mine.url }, [], times);
    const far = await startApp({ REDIS_URL: mine.url, MONGODB_URI: near.mongoUri }, [], times);
    const { host, streamId } = await broadcastAs(near.url, tara);
    const here = await watchAs(near.url, asha, streamId);
    const there = [await watchAs(far.url, veer, streamId), await watchAs(far.url, mira, streamId)];
    await countReaches(3, streamId, host, here, ...there);

    await mine.kill();
    await countReaches(1, streamId, host, here);
    await countReaches(2, streamId, ...there);
    await there[0]?.ask('live:leave', { streamId });
    await countReaches(1, streamId, ...there.slice(1));
    const snapshot = await watch(await connectAs(near.url, admin('root')), streamId);
    expect(snapshot.stream.isLive).toBe(true);
    await countReaches(2, streamId, host, here);

    mine = await startRedis(mine.port);
    await countReaches(3, streamId, host, here, ...there.slice(1));
    await settle(host);
    await near.app.close();
    await far.app.close();
  });
});
