import { Types } from 'mongoose';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { connectAll, connectAs } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import {
  about,
  broadcastAs,
  countReaches,
  newCast,
  settle,
  storedStream,
  told,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { refused } from '../../support/refusals.js';
import { admin, astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const COMMENTS = 53;

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50 })]);
  ({ url } = testApp);
});

let { tara, asha, veer, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, veer, mira } = newCast());
});

/** Comments as they are stored; the third is deleted. */
async function storeComments(streamId: string): Promise<string[]> {
  const comments = Array.from({ length: COMMENTS }, (_, i) => ({
    _id: new Types.ObjectId(),
    streamId,
    userId: `u${i}`,
    userType: 'user',
    userName: `Name ${i}`,
    userAvatar: '',
    message: `comment ${i}`,
    timestamp: new Date(1_700_000_000_000 + i),
    ...(i === 2 && { deletedAt: new Date() }),
    ...(i === 4 && { isGift: true, giftType: 'rose', giftValue: 5 }),
  }));
  await collectionOf(testApp, 'livecomments').insertMany(comments);
  return comments.map(({ _id }) => _id.toHexString());
}

describe('live:join', () => {
  it('gives a viewer the stream as it is, and a token that can join its channel and do nothing else', async () => {
    const details = { title: 'Moon', description: 'All', category: 'Signs', tags: ['a'] };
    const { channelName, agoraAppId, streamId } = await broadcastAs(url, tara, details);
    const { startedAt } = await storedStream(testApp, streamId);
    const viewer = await connectAs(url, asha);
    const snapshot = await watch(viewer, streamId, { streamTitle: 'of no meaning', userId: tara.id });
    // Counts are as old as the last look: whether the joiner is in them is another test's.
    const some = expect.any(Number) as number;
    expect(snapshot).toEqual({
      streamId,
      channelName,
      agoraAppId,
      agoraToken: expect.any(String) as string,
      uid: 0,
      isBroadcaster: false,
      expiresAt: expect.any(Number) as number,
      stream: {
        streamId,
        _id: streamId,
        astrologerId: tara.id,
        astrologerName: `Name of ${tara.id}`,
        astrologerProfilePicture: '',
        ...details,
        isLive: true,
        startedAt: startedAt?.getTime(),
        viewerCount: some,
        peakViewerCount: some,
        totalViews: some,
        likeCount: 0,
        giftCount: 0,
        giftValue: 0,
      },
      viewerCount: some,
      likeCount: 0,
      liked: false,
      muted: false,
      comments: [],
      pinned: null,
    });
    const token = decodeAgoraToken(snapshot.agoraToken);
    expect(token).toMatchObject({ appId: agoraAppId, channelName, uid: 0 });
    expect(Object.keys(token.privileges)).toEqual(['join']);
  });

  it('says how many watch, and have ever watched', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const first = await watchAs(url, asha, streamId);
    const second = await watchAs(url, veer, streamId);
    await countReaches(2, streamId, host);
    await first.ask('live:leave', { streamId });
    await countReaches(1, streamId, host);
    await until(async () => (await storedStream(testApp, streamId)).totalViews === 2);
    const { stream, viewerCount } = await watch(second, streamId);
    expect([viewerCount, stream.viewerCount]).toEqual([1, 1]);
    expect(stream).toMatchObject({ peakViewerCount: 2, totalViews: 2 });
  });

  it('shows the newest 50 comments, oldest first, and the one that is pinned', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const ids = await storeComments(streamId);
    await collectionOf(testApp, 'livestreams').updateOne(
      { _id: new Types.ObjectId(streamId) },
      { $set: { pinnedCommentId: new Types.ObjectId(ids[0]), likeCount: 7 } },
    );
    const _id = `${streamId} user:${asha.id}`;
    const viewers = collectionOf<{ _id: string }>(testApp, 'liveviewers');
    await viewers.insertOne({ _id, streamId, person: `user:${asha.id}`, likes: true } as never);
    const snapshot = await watch(await connectAs(url, asha), streamId);
    expect(snapshot.comments.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(snapshot.comments.slice(0, 2)).toEqual(
      [{}, { giftType: 'rose', giftValue: 5 }].map((gift, i) =>
        Object.assign(gift, {
          id: ids[3 + i],
          _id: ids[3 + i],
          streamId,
          userId: `u${3 + i}`,
          userType: 'user',
          userName: `Name ${3 + i}`,
          userAvatar: '',
          message: `comment ${3 + i}`,
          timestamp: 1_700_000_000_003 + i,
          isGift: i === 1,
        }),
      ),
    );
    expect(snapshot.pinned).toMatchObject({ id: ids[0], message: 'comment 0' });
    expect(snapshot).toMatchObject({ likeCount: 7, liked: true });
    expect((await watch(await connectAs(url, veer), streamId)).liked).toBe(false);
  });

  it('tells the joiner alone how many like the stream, in an event, too', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [first, second] = await connectAll(url, asha, veer);
    await watch(first, streamId);
    await watch(second, streamId);
    await settle(host, first, second);
    const expected = { streamId, count: 0, timestamp: expect.any(Number) as number };
    expect(first.all('live:like_count')).toEqual([expected]);
    expect(second.all('live:like_count')).toEqual([expected]);
    expect(host.all('live:like_count')).toEqual([]);
  });

  it('is the way into the room, and may be repeated', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, connected] = await connectAll(url, asha, veer);
    await watch(viewer, streamId);
    await watch(viewer, streamId);
    await host.ask('live:end', { streamId });
    await settle(viewer, connected);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(connected, streamId)).toEqual(['live:stream_ended']);
  });

  it('of several streams brings the events of all of them', async () => {
    const [one, two] = [await broadcastAs(url, tara), await broadcastAs(url, astrologer(veer.id))];
    const viewer = await connectAs(url, asha);
    await Promise.all([watch(viewer, one.streamId), watch(viewer, two.streamId)]);
    for (const { host, streamId } of [one, two]) await host.ask('live:end', { streamId });
    await settle(viewer);
    for (const { streamId } of [one, two])
      expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
  });

  it('takes an id in capital letters for the stream that it is', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await connectAs(url, asha);
    expect(await watch(viewer, streamId.toUpperCase())).toMatchObject({ streamId });
    await host.ask('live:end', { streamId });
    await settle(viewer);
    expect(about(viewer, 'live:end', streamId)).toHaveLength(1);
  });

  it.each(['viewer', 'namesake', 'other astrologer', 'admin'])(
    'isBroadcaster is not believed of a %s, who watches like everybody',
    async (who) => {
      const { streamId } = await broadcastAs(url, tara);
      const person = {
        viewer: asha,
        namesake: user(tara.id),
        'other astrologer': astrologer(mira.id),
        admin: admin('root'),
      }[who];
      const client = await connectAs(url, person ?? asha);
      const snapshot = await watch(client, streamId, {
        isBroadcaster: true,
        userId: tara.id,
        userType: 'astrologer',
      });
      expect(snapshot.isBroadcaster).toBe(false);
      expect(Object.keys(decodeAgoraToken(snapshot.agoraToken).privileges)).toEqual(['join']);
      await countReaches(1, streamId, client);
      const heartbeat = await refusal(client, 'live:heartbeat', { streamId });
      expect(heartbeat).toEqual(refused('FORBIDDEN'));
    },
  );

  it('attaches the broadcaster again after a reconnect, with a token that may publish, and notes that it lives', async () => {
    const { host, streamId, channelName } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const { lastHeartbeat } = await storedStream(testApp, streamId);
    host.close();
    const back = await connectAs(url, tara);
    const snapshot = await watch(back, streamId, { isBroadcaster: true });
    expect(snapshot).toMatchObject({ isBroadcaster: true, channelName });
    expect(Object.keys(decodeAgoraToken(snapshot.agoraToken).privileges)).toHaveLength(4);
    await until(async () => {
      const stream = await storedStream(testApp, streamId);
      return (stream.lastHeartbeat?.getTime() ?? 0) > (lastHeartbeat?.getTime() ?? 0);
    });
    await back.ask('live:end', { streamId });
    await settle(back, viewer);
    expect(told(back, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
  });

  it('gives a broadcaster who only watches a token that cannot publish', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const snapshot = await watch(await connectAs(url, tara), streamId);
    expect(snapshot.isBroadcaster).toBe(false);
    expect(Object.keys(decodeAgoraToken(snapshot.agoraToken).privileges)).toEqual(['join']);
  });
});
