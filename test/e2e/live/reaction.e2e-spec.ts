import type { LiveReactionPayload } from '../../../src/contract/live.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import type { TestClient } from '../../support/client.js';
import { expectInsideOnly, expectNeedsStream, onAir } from '../../support/live.js';
import { about, settle, watchAs } from '../../support/live-stream.js';
import { startRedis } from '../../support/redis.js';
import { expectBadField } from '../../support/refusals.js';
import { user } from '../../support/token.js';
import { until } from '../../support/until.js';

const BUNDLE_MS = 100;
/** Timers of a busy machine are early by a little. */
const TOLERANCE_MS = 15;

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

const react = (client: TestClient, streamId: string, reactionType?: string) =>
  client.ask('live:reaction', { streamId, ...(reactionType !== undefined && { reactionType }) });

const reactions = (client: TestClient, streamId: string) => about(client, 'live:reaction', streamId);

const countOf = (payloads: LiveReactionPayload[], type: string) =>
  payloads.filter(({ reactionType }) => reactionType === type).reduce((sum, { count }) => sum + count, 0);

/** Milliseconds between one message and the next, by the server's clock. */
const gaps = (payloads: LiveReactionPayload[]) =>
  payloads.slice(1).map(({ timestamp }, i) => timestamp - (payloads[i] as LiveReactionPayload).timestamp);

describe('live:reaction', () => {
  it('is a heart by default, and comes to everybody in the stream', async () => {
    const { streamId, host, a, v, outsider, asha } = await onAir(url);
    expect(await react(a, streamId)).toEqual({ streamId, success: true });
    for (const client of [host, a, v])
      expect(await client.waitFor('live:reaction')).toEqual({
        streamId,
        reactionType: 'heart',
        userId: asha.id,
        count: 1,
        timestamp: expect.any(Number) as number,
      });
    await settle(outsider);
    expect(outsider.all('live:reaction')).toEqual([]);
  });

  it('leaves in bundles that have every reaction once', async () => {
    const { streamId, host, a, v, veer } = await onAir(url);
    for (let i = 0; i < 20; i += 1) await Promise.all([react(a, streamId), react(v, streamId)]);
    await until(() => countOf(reactions(host, streamId), 'heart') === 40);
    expect(reactions(host, streamId).length).toBeLessThan(40);
    expect(gaps(reactions(host, streamId)).every((gap) => gap >= BUNDLE_MS - TOLERANCE_MS)).toBe(true);
    await react(v, streamId);
    await until(() => countOf(reactions(host, streamId), 'heart') === 41);
    expect(reactions(host, streamId).at(-1)?.userId).toBe(veer.id);
  });

  it('of ten types comes ten times a second at the most, and each type has its turn', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const types = Array.from({ length: 10 }, (_, i) => `type ${i}`);
    for (let round = 0; round < 5; round += 1)
      await Promise.all(types.map((type, i) => react(i % 2 === 0 ? a : v, streamId, type)));
    await until(() => types.every((type) => countOf(reactions(host, streamId), type) === 5));
    const got = reactions(host, streamId);
    expect(gaps(got).every((gap) => gap >= BUNDLE_MS - TOLERANCE_MS)).toBe(true);
    expect(new Set(got.slice(0, 10).map(({ reactionType }) => reactionType)).size).toBe(10);
  });

  it('of an eleventh type while ten wait is dropped in silence', async () => {
    const { streamId, host, a } = await onAir(url);
    const types = Array.from({ length: 12 }, (_, i) => `type ${i}`);
    const acks = await Promise.all(types.map((type) => react(a, streamId, type)));
    expect(acks).toEqual(types.map(() => ({ streamId, success: true })));
    await until(() => types.slice(0, 10).every((type) => countOf(reactions(host, streamId), type) === 1));
    await react(a, streamId, 'last');
    await until(() => countOf(reactions(host, streamId), 'last') === 1);
    expect(reactions(host, streamId)).toHaveLength(11);
  });

  it('is not stored', async () => {
    const { streamId, host, a } = await onAir(url);
    const stored = async () => {
      const documents = await Promise.all(
        ['livecomments', 'livegifts'].map((name) => collectionOf(testApp, name).countDocuments({ streamId })),
      );
      const viewer = await collectionOf(testApp, 'liveviewers').findOne({ streamId, likes: true });
      return [...documents, viewer];
    };
    await react(a, streamId);
    await host.waitFor('live:reaction');
    expect(await stored()).toEqual([0, 0, null]);
  });

  it('is refused with a type that is empty or too long', async () => {
    const { streamId, a } = await onAir(url);
    for (const reactionType of ['', ' ', 7, 'x'.repeat(33), 'a\nb', { $ne: null }])
      await expectBadField(a, 'live:reaction', { streamId, reactionType }, 'reactionType');
    expect(await react(a, streamId, '❤️'.repeat(16))).toEqual({ streamId, success: true });
    await expectNeedsStream(a, 'live:reaction', {});
  });

  it('is for those who are in the stream', () => expectInsideOnly(url, 'live:reaction'));

  it('on two nodes comes ten times a second at the most, too, and every reaction once', async () => {
    const { url: redisUrl } = await startRedis();
    const first = await startApp({ REDIS_URL: redisUrl });
    const second = await startApp({ REDIS_URL: redisUrl, MONGODB_URI: first.mongoUri });
    const { streamId, a } = await onAir(first.url);
    const far = await watchAs(second.url, user('far'), streamId);
    for (let i = 0; i < 25; i += 1) await Promise.all([react(a, streamId), react(far, streamId)]);
    for (const client of [a, far]) {
      await until(() => countOf(reactions(client, streamId), 'heart') === 50);
      const sent = reactions(client, streamId).toSorted((x, y) => x.timestamp - y.timestamp);
      expect(gaps(sent).every((gap) => gap >= BUNDLE_MS - 3 * TOLERANCE_MS)).toBe(true);
    }
  });
});
