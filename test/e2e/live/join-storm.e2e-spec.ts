import { usedMemory } from '../../../bench/support/used-memory.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs } from '../../support/client.js';
import { listed, newCast, settle, withLiveTimes } from '../../support/live-stream.js';
import { floodWithComments } from '../../support/live-storm/comment-flood.js';
import { LiveStorm } from '../../support/live-storm/live-storm.js';
import { recordQueries } from '../../support/query-plans.js';
import { narrowDoorOf } from '../../support/raw-client.js';
import { tokenFor } from '../../support/token.js';
import { until } from '../../support/until.js';

const VIEWERS = 200;
const JOINING_AT_ONCE = 20;
const FLOODED = 60;
/** Least that may be configured. */
const LIMIT_BYTES = 65_536;
/** Far above what a flood of so few leaves behind, far below what it would if every delivery were kept. */
const MAX_GROWTH_BYTES = 24 * 1024 * 1024;

/** The same as `npm run storm:live` does with a server of its own, and more people. */
async function beginStorm({ url }: TestApp): Promise<LiveStorm> {
  const storm = await LiveStorm.begin({
    url,
    authOf: async (person) => ({ token: await tokenFor(person) }),
  });
  closeAfterTest(() => storm.close());
  return storm;
}

describe('two hundred viewers who join at once', () => {
  it('get a count that is exact, at most once a second, and few frames; nor does a stranger, or the database, hear of each', async () => {
    // Each of them who asked by itself would make five queries.
    const node = await startApp({}, [], [withLiveTimes({ gatheringMs: 200 })]);
    const stranger = await connectAs(node.url, newCast().mira);
    const queries = recordQueries(node);
    const storm = await beginStorm(node);
    await settle(stranger);
    stranger.received.length = 0;
    await storm.join(VIEWERS, VIEWERS);
    await storm.countBecomes(VIEWERS);
    storm.checkFrames();
    storm.checkCounts();
    expect(storm.problems).toEqual([]);
    expect(queries.filter(({ collection }) => collection.startsWith('live')).length).toBeLessThan(VIEWERS);

    await settle(stranger);
    expect(stranger.received).toEqual([]);
    await until(async () => (await listed(stranger, storm.streamId))?.totalViews === VIEWERS);
    expect(await listed(stranger, storm.streamId)).toMatchObject({
      viewerCount: VIEWERS,
      peakViewerCount: VIEWERS,
    });
  });

  it('of whom half vanish without a word are counted rightly within 30 s, and the stream goes on', async () => {
    const storm = await beginStorm(await startApp());
    await storm.join(VIEWERS, JOINING_AT_ONCE);
    await storm.countBecomes(VIEWERS);
    await storm.loseHalf();
    storm.checkCounts();
    await storm.checkGoesOn();
    const { deliveries } = await floodWithComments(storm, { comments: 3, perSecond: 10 });
    expect(deliveries).toBe(3 * (VIEWERS / 2 + 1));
    expect(storm.problems).toEqual([]);
  }, 120_000);
});

describe('a flood of comments', () => {
  it('reaches everybody once and in the same order, and one who does not read is put out without costing memory or holding back others', async () => {
    const node = await startApp(
      { SLOW_CONSUMER_LIMIT_BYTES: String(LIMIT_BYTES) },
      [],
      [withLiveTimes({ lingerMs: 100 })],
    );
    const storm = await beginStorm(node);
    await storm.join(FLOODED, JOINING_AT_ONCE);
    await storm.joinStalled(await narrowDoorOf(node));
    await storm.countBecomes(FLOODED + 1);
    await floodWithComments(storm, { comments: 50, perSecond: 50 });
    const before = await usedMemory();
    const { deliveries } = await floodWithComments(storm, { comments: 600, perSecond: 200 });
    expect(deliveries).toBe(600 * (FLOODED + 1));
    await storm.countBecomes(FLOODED);
    expect((await usedMemory()) - before).toBeLessThan(MAX_GROWTH_BYTES);
    await storm.checkGoesOn();
    expect(storm.problems).toEqual([]);
  }, 120_000);
});
