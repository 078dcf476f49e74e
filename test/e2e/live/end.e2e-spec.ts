import type { LiveSummaryPayload } from '../../../src/contract/live.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAll, connectAs } from '../../support/client.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import { expectNeedsStream } from '../../support/live.js';
import {
  about,
  broadcastAs,
  changeStream,
  countReaches,
  ENDED,
  LATER_MS,
  listed,
  newCast,
  settle,
  start,
  storedStream,
  told,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { refused } from '../../support/refusals.js';
import { admin, astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

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

describe('live:end', () => {
  it('tells the room and everybody, once each, and nobody else is told what the room is', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, tablet] = [await watchAs(url, asha, streamId), await watchAs(url, asha, streamId)];
    const stranger = await connectAs(url, mira);
    const before = Date.now();
    await host.ask('live:end', { streamId });
    await settle(host, viewer, tablet, stranger);
    const timestamp = expect.any(Number) as number;
    for (const client of [host, viewer, tablet, stranger]) {
      expect(about(client, 'live:end', streamId)).toEqual(
        client === stranger ? [] : [{ streamId, message: expect.any(String) as string, timestamp }],
      );
      expect(about(client, 'live:stream_ended', streamId)).toEqual([
        { streamId, astrologerId: tara.id, astrologerName: `Name of ${tara.id}`, timestamp },
      ]);
    }
    const [end] = viewer.all('live:end');
    expect(end?.timestamp).toBeGreaterThanOrEqual(before);
    expect(Number.isInteger(end?.timestamp)).toBe(true);
  });

  it('answers with a summary of what has been', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [one, two] = [await watchAs(url, asha, streamId), await watchAs(url, veer, streamId)];
    await countReaches(2, streamId, host);
    await two.ask('live:leave', { streamId });
    await countReaches(1, streamId, host);
    await until(async () => (await storedStream(testApp, streamId)).totalViews === 2);
    const startedAt = new Date(Date.now() - 90_500);
    await changeStream(testApp, streamId, { startedAt, giftCount: 3, giftValue: 250 });
    const summary = await host.ask<LiveSummaryPayload>('live:end', { streamId });
    expect(summary).toEqual({
      streamId,
      startedAt: startedAt.getTime(),
      endedAt: expect.any(Number) as number,
      duration: Math.floor((summary.endedAt - startedAt.getTime()) / 1000),
      peakViewerCount: 2,
      totalViews: 2,
      likeCount: 0,
      giftCount: 3,
      giftValue: 250,
    });
    expect(summary.duration).toBeGreaterThanOrEqual(90);
    expect(one.socket.connected).toBe(true);
    expect(await storedStream(testApp, streamId)).toMatchObject({
      isLive: false,
      endedAt: new Date(summary.endedAt),
      peakViewerCount: 2,
    });
  });

  it('counts among the viewers at the peak who came since they were last counted', async () => {
    const node = await startApp({}, [], [withLiveTimes({ countIntervalMs: LATER_MS })]);
    const { host, streamId } = await broadcastAs(node.url, tara);
    await watchAs(node.url, asha, streamId);
    await watchAs(node.url, veer, streamId);
    expect(await listed(host, streamId)).toMatchObject({ viewerCount: 2 });
    expect(await host.ask('live:end', { streamId })).toMatchObject({ peakViewerCount: 2 });
    expect(await storedStream(node, streamId)).toMatchObject({ peakViewerCount: 2 });
  });

  it('counts the views once more, whatever became of the total meanwhile', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await watchAs(url, asha, streamId);
    await watchAs(url, veer, streamId);
    await until(async () => (await storedStream(testApp, streamId)).totalViews === 2);
    // As if their node had died between a view and the total of them.
    await changeStream(testApp, streamId, { totalViews: 1 });
    const staff = await connectAs(url, admin('root'));
    expect(await staff.ask<LiveSummaryPayload>('live:end', { streamId })).toMatchObject({ totalViews: 2 });
    expect(await storedStream(testApp, streamId)).toMatchObject({ totalViews: 2 });
    // Nothing that another process has counted is taken away.
    const { streamId: next } = await start(host);
    await changeStream(testApp, next, { totalViews: 500 });
    expect(await host.ask<LiveSummaryPayload>('live:end', { streamId: next })).toMatchObject({
      totalViews: 500,
    });
    expect(await storedStream(testApp, next)).toMatchObject({ totalViews: 500 });
  });

  it('can be said by the owner on any device, without being in the room, and by an admin', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await (await connectAs(url, tara)).ask('live:end', { streamId });
    await host.waitFor('live:end', (end) => end.streamId === streamId);
    const next = await start(host);
    await (await connectAs(url, admin('root'))).ask('live:end', { streamId: next.streamId });
    await host.waitFor('live:end', (end) => end.streamId === next.streamId);
    expect(await listed(host, next.streamId)).toBeUndefined();
  });

  it('puts everybody out of the room, and refuses what comes later', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await host.ask('live:end', { streamId });
    for (const event of ['live:join', 'live:token'])
      expect(await refusal(viewer, event, { streamId })).toEqual(ENDED);
    for (const event of ['live:join', 'live:token', 'live:heartbeat', 'live:end'])
      expect(await refusal(host, event, { streamId })).toEqual(ENDED);
    expect(await viewer.ask('live:leave', { streamId })).toEqual({ streamId, success: true });
    // An end that was told twice would reach whoever is in the room still.
    await changeStream(testApp, streamId, { endToldDue: new Date(0) });
    await until(async () => (await storedStream(testApp, streamId)).endToldDue === undefined);
    await settle(host, viewer);
    expect(about(viewer, 'live:end', streamId)).toHaveLength(1);
    expect(about(host, 'live:end', streamId)).toHaveLength(1);
  });

  it('happens once, however many say it at once', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [second, staff, viewer] = await connectAll(url, tara, admin('root'), asha);
    const acks = await Promise.all(
      [host, host, second, staff, staff].map((client) => client.send('live:end', { streamId })),
    );
    expect(acks.filter(({ ok }) => ok)).toHaveLength(1);
    for (const ack of acks) if (!ack.ok) expect(ack.error).toEqual(ENDED);
    await settle(host, viewer);
    expect(about(viewer, 'live:stream_ended', streamId)).toHaveLength(1);
    expect(about(host, 'live:end', streamId)).toHaveLength(1);
  });

  it('is refused to everybody else, and nothing happens', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    for (const person of [asha, user(tara.id), astrologer(mira.id), user('admin')]) {
      const client = await watchAs(url, person, streamId);
      expect(await refusal(client, 'live:end', { streamId })).toEqual(refused('FORBIDDEN'));
    }
    await settle(host);
    expect(told(host, streamId)).toEqual(['live:stream_started']);
    expect(await listed(host, streamId)).toMatchObject({ isLive: true });
  });

  it('is refused when there is no such stream, and without an id', async () => {
    const [host, staff] = await connectAll(url, tara, admin('root'));
    for (const client of [host, staff]) {
      expect(await refusal(client, 'live:end', { streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
      await expectNeedsStream(client, 'live:end');
    }
  });
});
