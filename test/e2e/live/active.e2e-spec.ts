import { Types } from 'mongoose';
import type { LiveActivePayload } from '../../../src/contract/live.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { MISSING_ID } from '../../support/direct-chat.js';
import {
  broadcastAs,
  countReaches,
  listed,
  storeStream,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { expectBadField } from '../../support/refusals.js';
import { astrologer, user } from '../../support/token.js';

const STREAMS = 30;

let testApp: TestApp;
let url: string;
let client: TestClient;
/** Oldest first. */
const ids: string[] = [];

beforeAll(async () => {
  testApp = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50 })]);
  ({ url } = testApp);
  for (let i = 0; i < STREAMS; i += 1) {
    const { host, streamId } = await broadcastAs(url, astrologer(`a${i}`), { title: `stream ${i}` });
    ids.push(streamId);
    if (i % 5 === 4) {
      await host.ask('live:end', { streamId });
      ids.pop();
    }
  }
});
beforeEach(async () => {
  client = await connectAs(url, user('asha'));
});

const pageOf = (...payload: object[]): Promise<LiveActivePayload> => client.ask('live:active', ...payload);

describe('live:active', () => {
  it('lists the streams that are live, newest first, and no others', async () => {
    const { streams, nextCursor } = await pageOf({ limit: 100 });
    expect(streams.map(({ streamId }) => streamId)).toEqual(ids.toReversed());
    expect(nextCursor).toBeNull();
    expect(streams.at(-1)).toEqual({
      streamId: ids[0],
      _id: ids[0],
      astrologerId: 'a0',
      astrologerName: 'Name of a0',
      astrologerProfilePicture: '',
      title: 'stream 0',
      description: '',
      category: '',
      tags: [],
      isLive: true,
      startedAt: expect.any(Number) as number,
      viewerCount: 0,
      peakViewerCount: 0,
      totalViews: 0,
      likeCount: 0,
      giftCount: 0,
      giftValue: 0,
    });
  });

  it('comes in pages, 20 by default, that have every stream once', async () => {
    for (const payload of [[], [{}], [{ limit: null, cursor: null }], [{ limit: 20 }]])
      expect((await pageOf(...payload)).streams).toHaveLength(20);
    for (const limit of [1, 3, 7, 19, 20]) {
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await pageOf({ limit, ...(cursor && { cursor }) });
        expect(page.streams.length).toBeLessThanOrEqual(limit);
        seen.push(...page.streams.map(({ streamId }) => streamId));
        cursor = page.nextCursor;
      }
      expect(seen).toEqual(ids.toReversed());
    }
  });

  it('goes on behind a stream that ended in between', async () => {
    const { host, streamId } = await broadcastAs(url, astrologer('brief'));
    const first = await pageOf({ limit: 1 });
    expect([first.streams[0]?.streamId, first.nextCursor]).toEqual([streamId, streamId]);
    await host.ask('live:end', { streamId });
    const { streams } = await pageOf({ limit: 1, cursor: first.nextCursor });
    expect(streams.map((stream) => stream.streamId)).toEqual([ids.at(-1)]);
  });

  it('says how many watch', async () => {
    const { host, streamId } = await broadcastAs(url, astrologer('watched'));
    const viewers = [await watchAs(url, user('v1'), streamId), await watchAs(url, user('v2'), streamId)];
    await countReaches(2, streamId, host);
    expect(await listed(client, streamId)).toMatchObject({ viewerCount: 2 });
    await viewers[0]?.ask('live:leave', { streamId });
    await countReaches(1, streamId, host);
    expect(await listed(client, streamId)).toMatchObject({ viewerCount: 1, peakViewerCount: 2 });
    await host.ask('live:end', { streamId });
  });

  it('lists a stream of another process, whatever its document has and has not', async () => {
    const astrologerId = new Types.ObjectId();
    const streamId = await storeStream(testApp, {
      astrologerId,
      startedAt: 'yesterday',
      createdAt: 5,
      lastHeartbeat: new Date(),
    });
    expect(await listed(client, streamId)).toMatchObject({
      astrologerId: astrologerId.toHexString(),
      title: '',
      tags: [],
      startedAt: new Types.ObjectId(streamId).getTimestamp().getTime(),
      peakViewerCount: 0,
    });
  });

  it('is refused with a limit or a cursor that are none', async () => {
    for (const limit of [0, -1, 101, 1.5, '20', {}, true])
      await expectBadField(client, 'live:active', { limit }, 'limit');
    for (const cursor of ['x', 5, {}, [MISSING_ID], ''])
      await expectBadField(client, 'live:active', { cursor }, 'cursor');
    expect(await pageOf({ cursor: '0'.repeat(24) })).toEqual({ streams: [], nextCursor: null });
  });
});
