import type { LiveViewerCountPayload } from '../../../src/contract/live.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { silence } from '../../support/cut-off.js';
import {
  about,
  breakOff,
  broadcastAs,
  countReaches,
  listed,
  newCast,
  settle,
  watch,
  withLiveTimes,
} from '../../support/live-stream.js';
import { recordQueries } from '../../support/query-plans.js';
import { user } from '../../support/token.js';
import { until } from '../../support/until.js';

const VIEWERS = 200;
const CONNECTED_AT_ONCE = 20;
/** Of everything that a viewer is sent, on average. */
const MAX_FRAMES = 20;
const MAX_AGE_OF_THE_GONE_MS = 30_000;
const CLOCK_SLACK_MS = 10;

async function connectViewers(url: string): Promise<TestClient[]> {
  const viewers: TestClient[] = [];
  while (viewers.length < VIEWERS) {
    const batch = Array.from({ length: CONNECTED_AT_ONCE }, (_, i) => user(`v${viewers.length + i}`));
    viewers.push(...(await Promise.all(batch.map((person) => connectAs(url, person)))));
  }
  return viewers;
}

function expectSpaced(counts: LiveViewerCountPayload[]): void {
  for (const [index, { count, timestamp }] of counts.slice(1).entries()) {
    const before = counts[index] as LiveViewerCountPayload;
    expect(timestamp - before.timestamp).toBeGreaterThanOrEqual(1000 - CLOCK_SLACK_MS);
    expect(count).not.toBe(before.count);
  }
}

describe('two hundred viewers who join at once', () => {
  it('get a count that is exact, at most once a second, and few frames; nor does a stranger, or the database, hear of each', async () => {
    // Each of them who asked by itself would make five queries.
    const node = await startApp({}, [], [withLiveTimes({ gatheringMs: 200 })]);
    const { host, streamId } = await broadcastAs(node.url, newCast().tara);
    const stranger = await connectAs(node.url, newCast().mira);
    const viewers = await connectViewers(node.url);
    const queries = recordQueries(node);
    await Promise.all(viewers.map((viewer) => watch(viewer, streamId)));
    await countReaches(VIEWERS, streamId, host, ...viewers);
    expect(queries.filter(({ collection }) => collection.startsWith('live')).length).toBeLessThan(VIEWERS);

    for (const viewer of viewers) expectSpaced(about(viewer, 'live:viewer_count', streamId));
    const frames = viewers.reduce((sum, { received }) => sum + received.length, 0);
    expect(frames).toBeLessThan(MAX_FRAMES * VIEWERS);
    await settle(stranger);
    const heard = stranger.received.map(({ event }) => event);
    expect(heard.filter((event) => event.includes('viewer') || event === 'live:like_count')).toEqual([]);
    await until(async () => (await listed(host, streamId))?.totalViews === VIEWERS);
    expect(await listed(host, streamId)).toMatchObject({ viewerCount: VIEWERS, peakViewerCount: VIEWERS });
  });

  it('of whom half vanish without a word are counted rightly within 30 s, and the stream goes on', async () => {
    const { url } = await startApp();
    const { host, streamId } = await broadcastAs(url, newCast().tara);
    const viewers = await connectViewers(url);
    await Promise.all(viewers.map((viewer) => watch(viewer, streamId)));
    await countReaches(VIEWERS, streamId, host);
    const before = Date.now();
    for (const [index, viewer] of viewers.slice(0, VIEWERS / 2).entries())
      if (index % 2 === 0) silence(viewer);
      else breakOff(viewer);
    const rest = viewers.slice(VIEWERS / 2);
    await until(
      () => about(host, 'live:viewer_count', streamId).at(-1)?.count === rest.length,
      2 * MAX_AGE_OF_THE_GONE_MS,
    );
    const { timestamp } = about(host, 'live:viewer_count', streamId).at(-1) as LiveViewerCountPayload;
    expect(timestamp - before).toBeLessThan(MAX_AGE_OF_THE_GONE_MS);
    await countReaches(rest.length, streamId, host, ...rest);
    expectSpaced(about(host, 'live:viewer_count', streamId));
    await host.ask('live:heartbeat', { streamId });
    expect(await listed(host, streamId)).toMatchObject({ isLive: true, viewerCount: rest.length });
  }, 120_000);
});
