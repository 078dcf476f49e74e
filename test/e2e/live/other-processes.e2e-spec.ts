import { Types } from 'mongoose';
import type {
  LiveActivePayload,
  LiveCommentsPayload,
  LiveSummaryPayload,
} from '../../../src/contract/live.js';
import type { LiveStream } from '../../../src/live/live-stream.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { refusal } from '../../support/direct-chat.js';
import {
  about,
  broadcastAs,
  changeStream,
  countReaches,
  ENDED,
  endsAt,
  inBrief,
  LATER_MS,
  letTimePass,
  listed,
  newCast,
  settle,
  storedStream,
  storeStream,
  streamsOf,
  told,
  watch,
  watchAs,
} from '../../support/live-stream.js';
import { startRedis } from '../../support/redis.js';
import { admin, astrologer } from '../../support/token.js';
import { until } from '../../support/until.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp({}, [], inBrief());
  ({ url } = testApp);
});

let { tara, asha, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, mira } = newCast());
});

describe('a stream that another process made', () => {
  const owner = astrologer('6a'.repeat(12));
  const made = (fields: object = {}) =>
    storeStream(testApp, {
      astrologerId: new Types.ObjectId(owner.id),
      astrologerName: 'Of the former backend',
      ...fields,
    });

  it('is a stream like any other: it is joined, counted, and ended by its owner', async () => {
    const streamId = await made({ lastHeartbeat: new Date(), channelName: 'of_the_former_backend' });
    const host = await connectAs(url, owner);
    const viewer = await connectAs(url, asha);
    await watch(host, streamId, { isBroadcaster: true });
    expect(await watch(viewer, streamId)).toMatchObject({
      channelName: 'of_the_former_backend',
      stream: { astrologerId: owner.id, astrologerName: 'Of the former backend', title: '', tags: [] },
    });
    await watch(host, streamId, { isBroadcaster: true });
    await countReaches(1, streamId, host, viewer);
    await host.ask('live:heartbeat', { streamId });
    const summary = await host.ask<LiveSummaryPayload>('live:end', { streamId });
    expect(summary).toMatchObject({ streamId, peakViewerCount: 1, giftCount: 0, likeCount: 0 });
    expect(summary.duration).toBeGreaterThanOrEqual(0);
    await settle(viewer);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
  });

  it('is ended like any other by its owner’s next start, and by an admin', async () => {
    const heard = { lastHeartbeat: new Date(Date.now() + LATER_MS) };
    const streamIds = [await made(heard), await made(heard)];
    const viewer = await connectAs(url, asha);
    for (const streamId of streamIds) await watch(viewer, streamId);
    const { streamId: next } = await broadcastAs(url, owner);
    for (const streamId of streamIds) await endsAt(viewer, streamId);
    const last = await made(heard);
    const staff = await connectAs(url, admin('root'));
    await staff.ask('live:end', { streamId: last });
    await staff.ask('live:end', { streamId: next });
    await settle(viewer);
    for (const streamId of streamIds)
      expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
  });

  it('ends by itself when nobody was ever heard of, its other fields being of whatever kind', async () => {
    const viewer = await connectAs(url, asha);
    const old = new Date(Date.now() - LATER_MS);
    const streamIds = [
      await made({ startedAt: old }),
      await made({ startedAt: old, lastHeartbeat: null }),
      await made({ startedAt: old.toISOString(), createdAt: old, lastHeartbeat: 'now' }),
      await made({ createdAt: old, astrologerId: 'whom-nobody-knows' }),
      await made({ startedAt: old, astrologerId: null, tags: 'none', title: 5 }),
      // Only its id says when it began: now.
      await made({ astrologerId: new Types.ObjectId() }),
    ];
    for (const streamId of streamIds) await endsAt(viewer, streamId);
    await settle(viewer);
    for (const streamId of streamIds) expect(told(viewer, streamId)).toEqual(['live:stream_ended']);
  });
});

describe.each([
  ['null', null],
  ['a text', '7'],
  ['a number with a fraction', 0.5],
])('a stream of which another process stored totals as %s', (_, total) => {
  it('counts views, viewers, likes and gifts, and finishes these', async () => {
    const totals = Object.fromEntries(
      ['giftCount', 'giftValue', 'likeCount', 'totalViews', 'peakViewerCount'].map((field) => [field, total]),
    );
    const lastHeartbeat = new Date(Date.now() + LATER_MS);
    const streamId = await storeStream(testApp, { astrologerId: tara.id, lastHeartbeat, ...totals });
    const viewer = await watchAs(url, asha, streamId);
    await viewer.ask('live:like', { streamId });
    await viewer.ask('live:gift', { streamId, giftType: 'rose', giftValue: 5 });
    const before = typeof total === 'number' ? total : 0;
    const expected = {
      giftCount: before + 1,
      giftValue: before + 5,
      likeCount: 1,
      totalViews: before + 1,
      peakViewerCount: 1,
    };
    await until(async () => {
      const stored = await storedStream(testApp, streamId);
      return Object.entries(expected).every(([field, value]) => stored[field as 'likeCount'] === value);
    });
    const gifts = collectionOf(testApp, 'livegifts');
    expect(await gifts.countDocuments({ streamId, finishedAt: { $exists: true } })).toBe(1);
    await until(() => about(viewer, 'live:like_count', streamId).at(-1)?.count === 1);
  });
});

describe('what another process stored and nobody can use', () => {
  it('under a text as its id is no stream, and keeps no other from being listed and ended', async () => {
    const viewer = await connectAs(url, asha);
    const old = new Date(Date.now() - LATER_MS);
    const texts = ['a', '~', 'f'.repeat(24)];
    const strange = collectionOf<{ _id: string }>(testApp, 'livestreams');
    await strange.insertMany(
      texts.flatMap((_id) => [
        { _id, astrologerId: tara.id, isLive: true, startedAt: old },
        { _id: `${_id}-ended`, astrologerId: tara.id, isLive: false, endToldDue: old },
      ]),
    );
    const { streamId } = await broadcastAs(url, tara);
    expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
    const first = await viewer.ask<LiveActivePayload>('live:active', { limit: 1 });
    expect(first.streams.map((stream) => stream.streamId)).toEqual([streamId]);
    await endsAt(viewer, await storeStream(testApp, { astrologerId: mira.id, startedAt: old }));
    await strange.deleteMany({ _id: { $type: 'string' } });
  });

  it('in place of texts and ids is shown as none, to whoever joins, lists, and hears of the end', async () => {
    const [none, numbers, lists] = ['', 5, ['x']];
    const strange = { title: numbers, description: lists, category: { name: 'x' }, tags: ['moon', 5, null] };
    const heard = { astrologerId: tara.id, lastHeartbeat: new Date(Date.now() + LATER_MS) };
    const shown = { title: none, description: none, category: none, tags: ['moon'], astrologerName: none };
    const streamId = await storeStream(testApp, { ...heard, ...strange, channelName: '', astrologerName: 7 });
    const [viewer, staff] = [await connectAs(url, asha), await connectAs(url, admin('root'))];
    expect(await watch(viewer, streamId)).toMatchObject({ stream: shown, channelName: streamId });
    expect(await listed(viewer, streamId)).toMatchObject(shown);
    await staff.ask('live:end', { streamId });
    expect(await endsAt(viewer, streamId)).toMatchObject({ astrologerName: none });
    const untagged = await storeStream(testApp, {
      ...heard,
      tags: 'none',
      astrologerProfilePicture: numbers,
    });
    expect(await watch(viewer, untagged)).toMatchObject({ stream: { tags: [] }, pinned: null });
    await staff.ask('live:end', { streamId: untagged });
  });

  it('in place of times is shown with the times of its ids, and keeps no stream', async () => {
    const streamId = await storeStream(testApp, { astrologerId: tara.id, lastHeartbeat: new Date() });
    const comment = { streamId, userId: asha.id, userType: 'user', userName: '', userAvatar: '' };
    const comments = collectionOf<{ _id: unknown; message: string }>(testApp, 'livecomments');
    const times = [undefined, null, 'yesterday', 5, { at: 5 }, NaN];
    const written = times.map((timestamp, i) => {
      const fields = { _id: new Types.ObjectId(), message: `comment ${i}` };
      return Object.assign(fields, comment, timestamp === undefined ? {} : { timestamp });
    });
    await comments.insertMany([...written, { ...comment, _id: 'a text', message: 'under a text' }]);
    const expected = written.map(({ _id, message }) =>
      expect.objectContaining({ message, timestamp: _id.getTimestamp().getTime() }),
    );
    const viewer = await connectAs(url, asha);
    expect((await watch(viewer, streamId)).comments).toEqual(expected);
    const page = await viewer.ask<LiveCommentsPayload>('live:comments', { streamId });
    expect(page.comments).toEqual(expected);
    const strange = { startedAt: 'now', createdAt: new Date(0), lastHeartbeat: { at: Date.now() } };
    await changeStream(testApp, streamId, strange as unknown as Partial<LiveStream>);
    await endsAt(viewer, streamId);
  });

  it('among its fields ends once, and is listed until then', async () => {
    const viewer = await connectAs(url, asha);
    const startedAt = new Date(Date.now() - LATER_MS);
    const strange = [
      { astrologerId: { toString: 'nobody' } },
      { astrologerId: [tara.id], likeTicket: 'none' },
      { astrologerId: 5, channelName: 5 },
    ];
    for (const fields of strange) {
      const heard = { ...fields, startedAt, lastHeartbeat: new Date(Date.now() + LATER_MS) };
      const streamId = await storeStream(testApp, heard);
      expect(await listed(viewer, streamId)).toMatchObject({ astrologerId: '' });
      await watch(viewer, streamId);
      await changeStream(testApp, streamId, { lastHeartbeat: startedAt });
      await endsAt(viewer, streamId);
      await until(async () => (await storedStream(testApp, streamId)).endToldDue === undefined);
      await letTimePass(url, viewer);
      expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    }
  });
});

describe('a stream that another process ended', () => {
  it('has ended for everybody, as if by live:end, and nobody stays in its room', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const stranger = await connectAs(url, mira);
    await changeStream(testApp, streamId, { isLive: false, endedAt: new Date() });
    for (const client of [host, viewer]) {
      await client.waitFor('live:end', (end) => end.streamId === streamId);
      expect(await refusal(client, 'live:join', { streamId })).toEqual(ENDED);
    }
    await letTimePass(url, stranger);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(stranger, streamId)).toEqual(['live:stream_ended']);
  });

  it.each(['yesterday', 1_795_342_612_000, null, { at: 5 }, true])(
    'has ended once, when it did so at %p',
    async (endedAt) => {
      const { streamId } = await broadcastAs(url, tara);
      const viewer = await watchAs(url, asha, streamId);
      await changeStream(testApp, streamId, { isLive: false, endedAt: endedAt as unknown as Date });
      await endsAt(viewer, streamId);
      await until(async () => (await storedStream(testApp, streamId)).endToldDue === undefined);
      await settle(viewer);
      expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    },
  );

  it('has ended for those who watch it also when its document is gone', async () => {
    const streamId = await storeStream(testApp, { astrologerId: tara.id, lastHeartbeat: new Date() });
    const viewer = await watchAs(url, asha, streamId);
    await streamsOf(testApp).deleteOne({ _id: new Types.ObjectId(streamId) });
    await viewer.waitFor('live:end', (end) => end.streamId === streamId);
  });
});

describe('an end that was stored and not told', () => {
  it('by a node that died is told by another one, to everybody', async () => {
    const proxy = await DatabaseProxy.start(testApp.mongoUri);
    const dying = await startApp({ MONGODB_URI: proxy.uri }, [], inBrief({ lookIntervalMs: LATER_MS }));
    const { host, streamId } = await broadcastAs(dying.url, tara);
    const viewer = await watchAs(url, asha, streamId);
    // What was stored is stored; the node never learns of it.
    const lost = proxy.plan('lose-reply', command('findAndModify', 'livestreams'));
    const answer = host.send('live:end', { streamId });
    await lost;
    expect(await answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
    await endsAt(viewer, streamId);
    await settle(viewer);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    await until(async () => (await storedStream(testApp, streamId)).endToldDue === undefined);
    await dying.app.close();
  });

  it('is told by one node of several', async () => {
    const redis = await startRedis();
    const one = await startApp({ REDIS_URL: redis.url }, [], inBrief());
    const two = await startApp({ REDIS_URL: redis.url, MONGODB_URI: one.mongoUri }, [], inBrief());
    const [here, there] = [await connectAs(one.url, asha), await connectAs(two.url, asha)];
    for (let i = 0; i < 5; i += 1) {
      const streamId = await storeStream(one, {
        astrologerId: tara.id,
        isLive: false,
        endedAt: new Date(),
        endToldDue: new Date(),
      });
      for (const client of [here, there]) await endsAt(client, streamId);
      await until(async () => (await storedStream(one, streamId)).endToldDue === undefined);
      const { host, streamId: barrier } = await broadcastAs(one.url, tara);
      const other = await broadcastAs(two.url, mira.type === 'user' ? astrologer(mira.id) : mira);
      for (const id of [barrier, other.streamId])
        for (const client of [here, there])
          await client.waitFor('live:stream_started', (started) => started.streamId === id);
      for (const client of [here, there])
        expect(about(client, 'live:stream_ended', streamId)).toHaveLength(1);
      host.close();
      other.host.close();
    }
    await two.app.close();
    await one.app.close();
  });
});
