import type { LiveViewer } from '../../../src/live/live-viewer.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { about, broadcastAs, newCast, storedStream, watch, watchAs } from '../../support/live-stream.js';
import { type RunningRedis, startRedis } from '../../support/redis.js';
import { user } from '../../support/token.js';
import { until } from '../../support/until.js';

const CROWD = 20;
const CROWD_SECONDS = 4;
const SECOND_MS = 1000;
/** What a timer may be early. */
const SLACK_MS = 20;

let redis: RunningRedis;
let one: TestApp;
let two: TestApp;
beforeAll(async () => {
  redis = await startRedis();
  one = await startApp({ REDIS_URL: redis.url });
  two = await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri });
});

/** What the client was told, after what it was told when it joined; when it was sent, by the server's clock. */
const countsOf = (client: TestClient, streamId: string) =>
  about(client, 'live:like_count', streamId).slice(1);

const lastCountOf = (client: TestClient, streamId: string) =>
  about(client, 'live:like_count', streamId).at(-1)?.count;

/** Likes and unlikes for some seconds, and ends with one or the other. */
async function waver(client: TestClient, streamId: string): Promise<void> {
  const end = performance.now() + CROWD_SECONDS * SECOND_MS;
  for (let liked = true; performance.now() < end || Math.random() < 0.5; liked = !liked)
    await client.ask(liked ? 'live:like' : 'live:unlike', { streamId });
}

describe('Likes on two nodes', () => {
  it('are told to each viewer at most once a second, and the last count is what is stored', async () => {
    const { tara, asha, veer } = newCast();
    const { streamId } = await broadcastAs(one.url, tara);
    const viewers = [await watchAs(one.url, asha, streamId), await watchAs(two.url, veer, streamId)];
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, (_, i) =>
        watchAs([one, two][i % 2]?.url ?? '', user(`${streamId}-${i}`), streamId),
      ),
    );
    await Promise.all(crowd.map((client) => waver(client, streamId)));
    const likes = { streamId, likes: true };
    const stored = await collectionOf<LiveViewer>(one, 'liveviewers').countDocuments(likes);
    for (const client of viewers) await until(() => lastCountOf(client, streamId) === stored);
    await until(async () => (await storedStream(one, streamId)).likeCount === stored);
    for (const client of viewers) {
      const times = countsOf(client, streamId).map(({ timestamp }) => timestamp);
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
      expect(gaps.filter((gap) => gap < SECOND_MS - SLACK_MS)).toEqual([]);
    }
  });

  it('reach the viewers of both also while Redis is away', async () => {
    const { tara, asha, veer } = newCast();
    const { host, streamId } = await broadcastAs(one.url, tara);
    const [near, far] = [await watchAs(one.url, asha, streamId), await watchAs(two.url, veer, streamId)];
    await redis.kill();
    await near.ask('live:like', { streamId });
    for (const client of [host, near, far]) await until(() => lastCountOf(client, streamId) === 1);
    await far.ask('live:like', { streamId });
    for (const client of [host, near, far]) await until(() => lastCountOf(client, streamId) === 2);
    redis = await startRedis(redis.port);
  });

  it('that came while somebody joined are known to them', async () => {
    const { tara, asha } = newCast();
    const { streamId } = await broadcastAs(one.url, tara);
    const far = await watchAs(two.url, asha, streamId);
    const late = await connectAs(one.url, asha);
    await Promise.all([watch(late, streamId), far.ask('live:like', { streamId })]);
    await until(() => lastCountOf(late, streamId) === 1);
  });
});
