import type { LiveModerationPayload } from '../../../src/contract/live.js';
import type { LiveViewer } from '../../../src/live/live-viewer.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { lineTo } from '../../support/cut-off.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { refusal } from '../../support/direct-chat.js';
import {
  devicesOf,
  expectModeratorsOnly,
  expectNeedsStream,
  expectTargetRules,
  onAir,
  target,
} from '../../support/live.js';
import {
  about,
  ban,
  countReaches,
  settle,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { startRedis } from '../../support/redis.js';
import { refused } from '../../support/refusals.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const ROUNDS = 10;

const storedViewer = (streamId: string, { type, id }: Person) =>
  collectionOf<LiveViewer>(testApp, 'liveviewers').findOne({ _id: `${streamId} ${type}:${id}` });

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  // Whose connection breaks is counted for long: who is put out is not.
  testApp = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 600_000 })]);
  ({ url } = testApp);
});

describe('live:ban', () => {
  it('puts somebody out at once, on all devices, and keeps them out', async () => {
    const { streamId, host, a, v, asha } = await onAir(url);
    const devices = [a, ...(await devicesOf(url, asha, streamId, 2)), await connectAs(url, asha)];
    const ack = await host.ask<LiveModerationPayload>('live:ban', { streamId, ...target(asha) });
    expect(ack).toEqual({ streamId, ...target(asha), muted: false, banned: true });
    await host.ask('live:comment', { streamId, message: 'they are gone' });
    await settle(v, ...devices);
    expect(v.all('live:comment')).toHaveLength(1);
    expect(v.all('live:kicked')).toEqual([]);
    for (const device of devices) {
      expect(device.all('live:kicked')).toEqual([
        { streamId, reason: 'banned', timestamp: expect.any(Number) as number },
      ]);
      expect(device.all('live:comment')).toEqual([]);
    }
    for (const event of ['live:join', 'live:token', 'live:like', 'live:comments'])
      expect(await refusal(a, event, { streamId })).toEqual(refused('FORBIDDEN'));
    const again = await connectAs(url, asha);
    expect(await refusal(again, 'live:join', { streamId })).toEqual(refused('FORBIDDEN'));
  });

  it('takes them out of the count of viewers at once', async () => {
    const { streamId, host, v, asha } = await onAir(url);
    await countReaches(2, streamId, host, v);
    await host.ask('live:ban', { streamId, ...target(asha) });
    await countReaches(1, streamId, host, v);
    expect((await v.waitFor('live:viewer_left')).user.id).toBe(asha.id);
  });

  it('may come before the person does, from an admin, and again', async () => {
    const { streamId, outsider, mira } = await onAir(url);
    const staff = await connectAs(url, admin('root'));
    for (let i = 0; i < 2; i += 1)
      expect(await staff.ask('live:ban', { streamId, ...target(mira) })).toMatchObject({ banned: true });
    expect(await refusal(outsider, 'live:join', { streamId })).toEqual(refused('FORBIDDEN'));
  });

  it('is about one person in one stream', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    await watch(one.a, other.streamId);
    await one.host.ask('live:ban', { streamId: one.streamId, ...target(one.asha) });
    const { id } = await other.host.ask('live:comment', { streamId: other.streamId, message: 'hi' });
    await one.a.waitFor('live:comment', (shown) => shown.id === id);
    await watchAs(url, astrologer(one.asha.id), one.streamId);
  });

  it('at the moment of a join leaves nobody in the stream', async () => {
    for (let i = 0; i < ROUNDS; i += 1) {
      const { streamId, host, outsider, mira } = await onAir(url);
      const join = outsider.send('live:join', { streamId });
      await Promise.all([join, host.ask('live:ban', { streamId, ...target(mira) })]);
      await host.ask('live:comment', { streamId, message: 'who hears this?' });
      await settle(outsider);
      expect(about(outsider, 'live:comment', streamId)).toEqual([]);
    }
  });

  it('at the moment of a return leaves nobody in the stream', async () => {
    const database = await DatabaseProxy.start(testApp.mongoUri);
    // Nothing else reads streams meanwhile.
    const rare = { lookIntervalMs: 600_000, countIntervalMs: 600_000 };
    const node = await startApp({ MONGODB_URI: database.uri }, [], [withLiveTimes(rare)]);
    const { streamId, host, a, asha } = await onAir(node.url);
    a.close();
    const before = database.commands.length;
    // Whether they are banned is read, whether the stream is live is not yet.
    const held = database.hold(command('find', 'livestreams', '$in'));
    const returning = connectAs(node.url, asha);
    const release = await held;
    await until(() => database.commands.slice(before).some(command('find', 'liveviewers')));
    await host.ask('live:ban', { streamId, ...target(asha) });
    release();
    const returned = await returning;
    await host.ask('live:comment', { streamId, message: 'who hears this?' });
    await settle(returned);
    expect(about(returned, 'live:comment', streamId)).toEqual([]);
  });

  it('does not let the stream come back to a new connection', async () => {
    const { streamId, host, a, asha } = await onAir(url);
    await host.ask('live:ban', { streamId, ...target(asha) });
    const beside = await connectAs(url, asha);
    a.close();
    const after = await connectAs(url, asha);
    await host.ask('live:comment', { streamId, message: 'who hears this?' });
    await settle(beside, after);
    for (const device of [beside, after]) expect(device.all('live:comment')).toEqual([]);
  });

  it('reaches the person on another node, and the count there', async () => {
    const { url: redisUrl } = await startRedis();
    const times = withLiveTimes({ countIntervalMs: 50, lingerMs: 600_000 });
    const first = await startApp({ REDIS_URL: redisUrl }, [], [times]);
    const second = await startApp({ REDIS_URL: redisUrl, MONGODB_URI: first.mongoUri }, [], [times]);
    const { streamId, host } = await onAir(first.url);
    const [far, near] = [user('far'), user('near')];
    const [f, n] = [await watchAs(second.url, far, streamId), await watchAs(second.url, near, streamId)];
    await countReaches(4, streamId, host, n);
    await host.ask('live:ban', { streamId, ...target(far) });
    expect(await f.waitFor('live:kicked')).toMatchObject({ streamId, reason: 'banned' });
    await countReaches(3, streamId, host, n);
    const { id } = await host.ask('live:comment', { streamId, message: 'who hears this?' });
    await n.waitFor('live:comment', (shown) => shown.id === id);
    await settle(f);
    expect(f.all('live:comment')).toEqual([]);
  });

  it('holds also for who is in a room of a node that was not told of it', async () => {
    const { streamId, host, a, v, asha } = await onAir(url);
    await a.ask('live:like', { streamId });
    await ban(testApp, streamId, asha);
    const fields = { streamId, message: 'still here', giftType: 'rose', giftValue: 1 };
    for (const event of ['live:comment', 'live:gift', 'live:like', 'live:unlike'])
      expect(await refusal(a, event, fields)).toEqual(refused('FORBIDDEN'));
    await settle(host, v);
    for (const client of [host, v])
      expect([...client.all('live:comment'), ...client.all('live:gift')]).toEqual([]);
    expect(await collectionOf(testApp, 'livegifts').countDocuments({ streamId })).toBe(0);
    expect(await storedViewer(streamId, asha)).toMatchObject({ likes: true });
  });

  it('reaches the person on a node that is cut off from the others, and is told once', async () => {
    const redis = await startRedis();
    const line = await lineTo(redis.port);
    const times = withLiveTimes({ countIntervalMs: 50, lookIntervalMs: 50 });
    const near = await startApp({ REDIS_URL: redis.url }, [], [times]);
    const variables = { REDIS_URL: `redis://127.0.0.1:${line.port}`, MONGODB_URI: near.mongoUri };
    const far = await startApp(variables, [], [times]);
    const { streamId, host, asha, mira } = await onAir(near.url);
    const devices = [...(await devicesOf(far.url, asha, streamId, 2)), await connectAs(far.url, asha)];
    const other = await watchAs(far.url, mira, streamId);
    await countReaches(3, streamId, host, other);
    line.cut();
    await host.ask('live:ban', { streamId, ...target(asha) });
    for (const device of devices) {
      // Longer than a broadcast may take.
      await until(() => device.all('live:kicked').length > 0);
      expect(device.all('live:kicked')).toMatchObject([{ streamId, reason: 'banned' }]);
    }
    const { id } = await other.ask('live:comment', { streamId, message: 'they are gone' });
    await other.waitFor('live:comment', (shown) => shown.id === id);
    line.heal();
    await until(async () => {
      const { id: next } = await host.ask('live:comment', { streamId, message: 'back again' });
      return (
        (await other.ask('get_stats', {})) && other.all('live:comment').some((shown) => shown.id === next)
      );
    });
    await countReaches(2, streamId, host, other);
    await settle(other, ...devices);
    for (const device of devices) {
      expect(device.all('live:kicked')).toHaveLength(1);
      expect(device.all('live:comment')).toEqual([]);
    }
    expect(other.all('live:kicked')).toEqual([]);
    for (const { app } of [far, near]) await app.close();
  });

  it('is for the broadcaster and admins, about viewers', async () => {
    await expectModeratorsOnly(url, 'live:ban', ({ asha }) => target(asha));
    await expectTargetRules(url, 'live:ban');
    const { host, asha } = await onAir(url);
    await expectNeedsStream(host, 'live:ban', target(asha));
  });
});

describe('live:unban', () => {
  it('lets somebody come, and comment, again, and tells them', async () => {
    const { streamId, host, a, v, asha } = await onAir(url);
    for (const event of ['live:mute', 'live:ban']) await host.ask(event, { streamId, ...target(asha) });
    const ack = await host.ask<LiveModerationPayload>('live:unban', { streamId, ...target(asha) });
    expect(ack).toEqual({ streamId, ...target(asha), muted: false, banned: false });
    expect(await a.waitFor('live:muted', ({ muted }) => !muted)).toEqual({
      streamId,
      muted: false,
      timestamp: expect.any(Number) as number,
    });
    expect((await watch(a, streamId)).muted).toBe(false);
    const { id } = await a.ask('live:comment', { streamId, message: 'thank you' });
    await v.waitFor('live:comment', (shown) => shown.id === id);
  });

  it('of somebody of whom nothing was said changes nothing', async () => {
    const { streamId, host, a, asha, mira } = await onAir(url);
    for (const person of [asha, mira])
      expect(await host.ask('live:unban', { streamId, ...target(person) })).toMatchObject({
        muted: false,
        banned: false,
      });
    await a.ask('live:comment', { streamId, message: 'still here' });
  });

  it('and bans of 20 at once leave one or the other, and the ack says which', async () => {
    const { streamId, host, asha } = await onAir(url);
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        host.ask<LiveModerationPayload>(i % 2 === 0 ? 'live:ban' : 'live:unban', {
          streamId,
          ...target(asha),
        }),
      ),
    );
    expect(acks.map(({ banned }) => banned)).toEqual(acks.map((_, i) => i % 2 === 0));
    const last = await host.ask<LiveModerationPayload>('live:unban', { streamId, ...target(asha) });
    expect(last.banned).toBe(false);
    const again = await connectAs(url, asha);
    await until(async () => (await again.send('live:join', { streamId })).ok);
  });

  it('is for the broadcaster and admins, about viewers', async () => {
    await expectModeratorsOnly(url, 'live:unban', ({ asha }) => target(asha));
    await expectTargetRules(url, 'live:unban');
    const { host, asha } = await onAir(url);
    await expectNeedsStream(host, 'live:unban', target(asha));
  });
});
