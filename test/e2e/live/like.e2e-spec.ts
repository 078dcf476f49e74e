import type { LiveLikePayload, LiveSummaryPayload } from '../../../src/contract/live.js';
import type { LiveViewer } from '../../../src/live/live-viewer.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAll, type TestClient } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import { devicesOf, expectInsideOnly, expectNeedsStream, onAir } from '../../support/live.js';
import { about, settle, storedStream, watch, watchAs } from '../../support/live-stream.js';
import { user } from '../../support/token.js';
import { until } from '../../support/until.js';

const CROWD = 100;
const CROWD_SECONDS = 3;

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

const like = (client: TestClient, streamId: string) => client.ask<LiveLikePayload>('live:like', { streamId });
const unlike = (client: TestClient, streamId: string) =>
  client.ask<LiveLikePayload>('live:unlike', { streamId });

const asBefore = (alreadyLiked: boolean) => ({
  code: 'CONFLICT',
  message: expect.any(String) as string,
  retryable: false,
  details: { alreadyLiked },
});

/** Until the newest count that the client was told of the stream is this one. */
const countsReach = (client: TestClient, streamId: string, count: number) =>
  until(() => about(client, 'live:like_count', streamId).at(-1)?.count === count);

describe('live:like and live:unlike', () => {
  it('are stored, once for each person, and counted for everybody in the stream', async () => {
    const { streamId, host, a, v, outsider } = await onAir(url);
    expect(await like(a, streamId)).toEqual({ streamId, liked: true });
    expect(await like(v, streamId)).toEqual({ streamId, liked: true });
    for (const client of [host, a, v]) await countsReach(client, streamId, 2);
    expect(v.all('live:like_count').at(-1)).toEqual({
      streamId,
      count: 2,
      timestamp: expect.any(Number) as number,
    });
    expect(await watch(a, streamId)).toMatchObject({ liked: true, likeCount: 2, stream: { likeCount: 2 } });
    expect(await watch(outsider, streamId)).toMatchObject({ liked: false, likeCount: 2 });
    expect(await unlike(a, streamId)).toEqual({ streamId, liked: false });
    for (const client of [host, a, v, outsider]) await countsReach(client, streamId, 1);
    expect((await storedStream(testApp, streamId)).likeCount).toBe(1);
    expect(await watch(a, streamId)).toMatchObject({ liked: false, likeCount: 1 });
  });

  it('of who likes it already, or does not like it, are refused and change nothing', async () => {
    const { streamId, host, a, asha } = await onAir(url);
    expect(await refusal(a, 'live:unlike', { streamId })).toEqual(asBefore(false));
    await like(a, streamId);
    expect(await refusal(a, 'live:like', { streamId })).toEqual(asBefore(true));
    a.close();
    const again = await watchAs(url, asha, streamId);
    expect(await refusal(again, 'live:like', { streamId })).toEqual(asBefore(true));
    await unlike(again, streamId);
    expect(await refusal(again, 'live:unlike', { streamId })).toEqual(asBefore(false));
    expect(await host.ask<LiveSummaryPayload>('live:end', { streamId })).toMatchObject({ likeCount: 0 });
  });

  it('of 20 at once on four devices of one person let one through', async () => {
    const { streamId, host, asha } = await onAir(url);
    const devices = await devicesOf(url, asha, streamId, 4);
    const send = (event: string) =>
      Promise.all(
        Array.from({ length: 20 }, (_, i) => (devices[i % 4] as TestClient).send(event, { streamId })),
      );
    expect((await send('live:like')).filter(({ ok }) => ok)).toHaveLength(1);
    await countsReach(host, streamId, 1);
    expect((await send('live:unlike')).filter(({ ok }) => ok)).toHaveLength(1);
    await countsReach(host, streamId, 0);
  });

  it('of one socket take effect in the order in which they came', async () => {
    const { streamId, host, a } = await onAir(url);
    const acks = await Promise.all(
      Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? like(a, streamId) : unlike(a, streamId))),
    );
    expect(acks.map(({ liked }) => liked)).toEqual(Array.from({ length: 9 }, (_, i) => i % 2 === 0));
    await countsReach(host, streamId, 1);
  });

  it(`of ${CROWD} people at random for ${CROWD_SECONDS} s end with the same number in what is stored, told and totalled`, async () => {
    const { streamId, host, a } = await onAir(url);
    const people = Array.from({ length: CROWD }, (_, i) => user(`${streamId}-${i}`));
    const crowd = await connectAll(url, ...people);
    await Promise.all(crowd.map((client) => watch(client, streamId)));
    const started = performance.now();
    const likes = await Promise.all(
      crowd.map(async (client) => {
        let liked = false;
        while (performance.now() - started < CROWD_SECONDS * 1000) {
          const wanted = Math.random() < 0.5;
          const answer = await client.send(wanted ? 'live:like' : 'live:unlike', { streamId });
          expect(answer.ok).toBe(wanted !== liked);
          liked = wanted;
        }
        return liked;
      }),
    );
    const expected = likes.filter(Boolean).length;
    for (const client of [host, a, ...crowd]) await countsReach(client, streamId, expected);
    const seconds = (performance.now() - started) / 1000;
    const viewers = collectionOf<LiveViewer>(testApp, 'liveviewers');
    expect(await viewers.countDocuments({ streamId, likes: true })).toBe(expected);
    // At once, then at most once a second.
    expect(about(a, 'live:like_count', streamId).length).toBeLessThanOrEqual(Math.ceil(seconds) + 2);
    const snapshot = await watch(a, streamId);
    expect([snapshot.likeCount, snapshot.stream.likeCount]).toEqual([expected, expected]);
    expect(await host.ask<LiveSummaryPayload>('live:end', { streamId })).toMatchObject({
      likeCount: expected,
    });
  });

  it('that a node stored and did not count before it died are counted for the first who come to another one', async () => {
    const { streamId, v, asha, veer } = await onAir(url);
    await like(v, streamId);
    await until(async () => (await storedStream(testApp, streamId)).likeCount === 1);
    await collectionOf<LiveViewer>(testApp, 'liveviewers').updateOne(
      { _id: `${streamId} user:${asha.id}` },
      { $set: { likes: true } },
    );
    const other = await startApp({ MONGODB_URI: testApp.mongoUri });
    const returned = await watchAs(other.url, veer, streamId);
    await countsReach(returned, streamId, 2);
    expect((await storedStream(testApp, streamId)).likeCount).toBe(2);
  });

  it('are for those who are in the stream', async () => {
    await expectInsideOnly(url, 'live:like');
    await expectInsideOnly(url, 'live:unlike');
  });

  it('need a stream', async () => {
    const { a } = await onAir(url);
    for (const event of ['live:like', 'live:unlike']) await expectNeedsStream(a, event, {});
  });

  it('cost the viewers one message for many likes', async () => {
    const { streamId, host } = await onAir(url);
    const crowd = await connectAll(url, ...Array.from({ length: 30 }, (_, i) => user(`${streamId}-${i}`)));
    await Promise.all(crowd.map((client) => watch(client, streamId)));
    const before = about(host, 'live:like_count', streamId).length;
    await Promise.all(crowd.map((client) => like(client, streamId)));
    await countsReach(host, streamId, 30);
    await settle(host);
    expect(about(host, 'live:like_count', streamId).length - before).toBeLessThanOrEqual(3);
  });
});
