import type { LiveTokenPayload } from '../../../src/contract/live.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import { liveRoom } from '../../../src/realtime/rooms.js';
import { ViewerCountsService } from '../../../src/live/viewer-counts.service.js';
import { startApp, type TestApp } from '../../support/app.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import {
  ban,
  breakOff,
  broadcastAs,
  changeStream,
  countReaches,
  listed,
  newCast,
  settle,
  start,
  told,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { withPresenceTimes } from '../../support/presence.js';
import { refused } from '../../support/refusals.js';
import { admin, astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

/** More than are told one by one. */
const JOINERS = 60;

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  const times = { countIntervalMs: 300, lingerMs: 100, lookIntervalMs: 50, ownerReturnMs: 800 };
  testApp = await startApp({}, [], [withLiveTimes(times), withPresenceTimes({ offlineDelayMs: 100 })]);
  ({ url } = testApp);
});

let { tara, asha, veer, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, veer, mira } = newCast());
});

describe('faults of the system before this one, in live streams', () => {
  it('broadcaster was whatever the client claimed', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const claim = {
      streamId,
      isBroadcaster: true,
      userId: tara.id,
      userType: 'astrologer',
      astrologerId: tara.id,
    };
    for (const person of [asha, user(tara.id), astrologer(mira.id), admin('root')]) {
      const client = await connectAs(url, person);
      const snapshot = await watch(client, streamId, claim);
      expect(snapshot.isBroadcaster).toBe(false);
      const token = await client.ask<{ agoraToken: string }>('live:token', claim);
      for (const { agoraToken } of [snapshot, token])
        expect(Object.keys(decodeAgoraToken(agoraToken).privileges)).toEqual(['join']);
      expect(await refusal(client, 'live:heartbeat', claim)).toEqual(refused('FORBIDDEN'));
    }
    // The admin may: that is an admin's right, and nobody else's.
    expect(await refusal(await connectAs(url, asha), 'live:end', claim)).toEqual(refused('FORBIDDEN'));
    expect(await listed(host, streamId)).toMatchObject({ isLive: true });
  });

  it('the first viewer could lock the host out', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await host.ask('live:leave', { streamId });
    const first = await connectAs(url, asha);
    await watch(first, streamId, { isBroadcaster: true, streamTitle: 'Mine' });
    const snapshot = await watch(host, streamId, { isBroadcaster: true });
    expect(snapshot).toMatchObject({ isBroadcaster: true, stream: { astrologerId: tara.id, title: '' } });
    expect(Object.keys(decodeAgoraToken(snapshot.agoraToken).privileges)).toHaveLength(4);
    await host.ask('live:heartbeat', { streamId });
    // The host may have come when it was counted already.
    await countReaches(1, streamId, first);
    await host.ask('live:end', { streamId });
  });

  it('an unknown stream could be ended by anybody', async () => {
    const everybody = await connectAll(url, asha, tara, admin('root'), mira);
    const [viewer, host, staff, witness] = everybody;
    for (const client of [viewer, host, staff])
      expect(await refusal(client, 'live:end', { streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
    expect(await refusal(viewer, 'live:join', { streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
    const { streamId } = await start(host);
    expect(await refusal(viewer, 'live:end', { streamId })).toEqual(refused('FORBIDDEN'));
    await settle(...everybody);
    expect(told(witness, MISSING_ID)).toEqual([]);
    expect(told(witness, streamId)).toEqual(['live:stream_started']);
  });

  it('a second stream of the same astrologer failed on a unique index', async () => {
    const host = await connectAs(url, tara);
    const viewer = await connectAs(url, asha);
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) ids.push((await start(host)).streamId);
    await host.ask('live:end', { streamId: ids[2] });
    ids.push((await start(host)).streamId);
    // Ended without us.
    await changeStream(testApp, ids[3] as string, { isLive: false });
    ids.push((await start(host)).streamId);
    const live = await Promise.all(ids.map((id) => listed(viewer, id)));
    expect(live.map((stream) => stream?.streamId)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      ids[4],
    ]);
  });

  describe('likes, rooms and rate limits in memory', () => {
    const TOO_FAST = { ok: false, error: { code: 'RATE_LIMITED' } };

    async function writeUntilRefused(client: TestClient, streamId: string): Promise<void> {
      for (let i = 0; i < 3; i += 1) await client.ask('live:comment', { streamId, message: `${i}` });
      expect(await client.send('live:comment', { streamId, message: 'more' })).toMatchObject(TOO_FAST);
    }

    it('were lost by a restart, and unknown to another node', async () => {
      const first = await startApp();
      const { streamId } = await broadcastAs(first.url, tara);
      const viewer = await watchAs(first.url, asha, streamId);
      await viewer.ask('live:like', { streamId });
      await writeUntilRefused(viewer, streamId);
      const beside = await startApp({ MONGODB_URI: first.mongoUri });
      await first.app.close();
      const after = await startApp({ MONGODB_URI: first.mongoUri });
      for (const node of [beside, after]) {
        // Not joined: the room is back.
        const back = await connectAs(node.url, asha);
        expect(await back.send('live:comment', { streamId, message: 'more' })).toMatchObject(TOO_FAST);
        expect(await back.send('live:like', { streamId })).toMatchObject({
          ok: false,
          error: { code: 'CONFLICT', details: { alreadyLiked: true } },
        });
        expect(await watch(back, streamId)).toMatchObject({ liked: true, likeCount: 1 });
      }
    });

    it('a reconnect reset slow mode', async () => {
      const { streamId } = await broadcastAs(url, tara);
      const viewer = await watchAs(url, asha, streamId);
      await writeUntilRefused(viewer, streamId);
      viewer.close();
      const back = await watchAs(url, asha, streamId);
      expect(await back.send('live:comment', { streamId, message: 'more' })).toMatchObject(TOO_FAST);
    });
  });

  it('rooms were never freed', async () => {
    const emitter = testApp.app.get(EmitterService, { strict: false });
    const counts = testApp.app.get(ViewerCountsService, { strict: false });
    const isFree = (streamId: string): boolean =>
      emitter.identitiesIn(liveRoom(streamId)).length === 0 && !counts.watchedHere().includes(streamId);
    const ended = await broadcastAs(url, tara);
    const [one, two] = [await watchAs(url, asha, ended.streamId), await watchAs(url, veer, ended.streamId)];
    expect(isFree(ended.streamId)).toBe(false);
    await ended.host.ask('live:end', { streamId: ended.streamId });
    expect(isFree(ended.streamId)).toBe(true);

    const left = await broadcastAs(url, tara);
    for (const viewer of [one, two]) await watch(viewer, left.streamId);
    await one.ask('live:leave', { streamId: left.streamId });
    breakOff(two);
    await left.host.ask('live:leave', { streamId: left.streamId });
    await until(() => isFree(left.streamId));
    expect(await listed(left.host, left.streamId)).toMatchObject({ isLive: true, viewerCount: 0 });
  });

  it('bans were never checked on join', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await viewer.ask('live:leave', { streamId });
    await ban(testApp, streamId, asha);
    const device = await connectAs(url, asha);
    for (const client of [viewer, device]) {
      expect(await refusal(client, 'live:join', { streamId })).toEqual(refused('FORBIDDEN'));
      expect(await refusal(client, 'live:token', { streamId })).toEqual(refused('FORBIDDEN'));
    }
    const other = await watchAs(url, veer, streamId);
    await countReaches(1, streamId, host, other);
  });

  it("admin's end had no listener", async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, stranger] = [await watchAs(url, asha, streamId), await connectAs(url, mira)];
    const staff = await connectAs(url, admin('root'));
    const summary = await staff.ask('live:end', { streamId, reason: 'against the rules' });
    expect(summary).toMatchObject({ streamId, peakViewerCount: expect.any(Number) as number });
    await settle(host, viewer, stranger);
    // Under the names for which the clients listen.
    expect(told(host, streamId)).toEqual(['live:stream_started', 'live:end', 'live:stream_ended']);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(stranger, streamId)).toEqual(['live:stream_ended']);
  });

  it("admin's ban had no listener", async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, other] = [await watchAs(url, asha, streamId), await watchAs(url, veer, streamId)];
    const staff = await connectAs(url, admin('root'));
    await staff.ask('live:ban', { streamId, userId: asha.id, userType: asha.type });
    await host.ask('live:comment', { streamId, message: 'they are gone' });
    await settle(viewer, other);
    expect(told(viewer, streamId)).toEqual(['live:kicked']);
    expect(told(other, streamId)).toEqual(['live:comment']);
  });

  it('comments by admins failed on an ObjectId cast', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const staff = await watchAs(url, admin('no-object-id'), streamId);
    const shown = await staff.ask('live:comment', { streamId, message: 'Be kind.' });
    expect(shown).toMatchObject({ userId: 'admin', userType: 'admin', message: 'Be kind.' });
    await settle(host, viewer);
    for (const client of [host, viewer]) expect(client.all('live:comment')).toEqual([shown]);
    expect((await watch(viewer, streamId)).comments).toEqual([shown]);
  });

  it('auto-end told nobody', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, stranger] = [await watchAs(url, asha, streamId), await connectAs(url, mira)];
    breakOff(host);
    await stranger.waitFor('live:stream_ended', (ended) => ended.streamId === streamId);
    await settle(viewer);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
  });

  it('every join was broadcast to everyone: 2,000 joins, 4 million frames', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const stranger = await connectAs(url, mira);
    const people = Array.from({ length: JOINERS }, (_, i) => user(`${asha.id}-${i}`));
    const viewers = await connectAll(url, ...people);
    await Promise.all(viewers.map((viewer) => watch(viewer, streamId)));
    await countReaches(JOINERS, streamId, host, ...viewers);
    const before = viewers.map(({ received }) => received.length);
    const more = await connectAll(url, ...people.map(({ id }) => user(`${id}-more`)));
    await Promise.all(more.map((viewer) => watch(viewer, streamId)));
    await countReaches(2 * JOINERS, streamId, host, ...viewers);
    // Sixty joins: the former system sent sixty frames to each. Here it is a count in each interval.
    const frames = viewers.map(({ received }, index) => received.slice(before[index]));
    for (const got of frames) {
      expect(new Set(got.map(({ event }) => event))).toEqual(new Set(['live:viewer_count']));
      expect(got.length).toBeLessThan(JOINERS / 2);
    }
    await settle(stranger);
    expect(stranger.received.filter(({ event }) => event.includes('viewer'))).toEqual([]);
  });
});

describe('faults of the system before this one, in the tokens of live streams', () => {
  it('refresh refused to the broadcaster always', async () => {
    const { host, streamId, channelName } = await broadcastAs(url, tara);
    const elsewhere = await connectAs(url, tara);
    await host.ask('live:leave', { streamId });
    for (const client of [host, elsewhere]) {
      const token = await client.ask<LiveTokenPayload>('live:token', { streamId });
      expect(token).toMatchObject({ channelName, isBroadcaster: true });
      expect(decodeAgoraToken(token.agoraToken)).toMatchObject({
        channelName,
        privileges: { publishAudio: 3600, publishVideo: 3600 },
      });
    }
  });

  it('absolute timestamps passed where seconds from now are meant: tokens valid until 2083', async () => {
    const { streamId, agoraToken, expiresAt } = await broadcastAs(url, tara);
    const viewer = await connectAs(url, asha);
    const snapshot = await watch(viewer, streamId);
    const fresh = await viewer.ask<LiveTokenPayload>('live:token', { streamId });
    for (const token of [agoraToken, snapshot.agoraToken, fresh.agoraToken]) {
      const { issuedAt, expireSeconds, privileges } = decodeAgoraToken(token);
      expect(new Set([expireSeconds, ...Object.values(privileges)])).toEqual(new Set([3600]));
      expect(Math.abs(issuedAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
    expect(Math.abs(expiresAt - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });
});
