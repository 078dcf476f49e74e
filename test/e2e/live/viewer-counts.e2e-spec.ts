import { Types } from 'mongoose';
import type { LiveViewerCountPayload } from '../../../src/contract/live.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import { liveRoom, personalRoom } from '../../../src/realtime/rooms.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import {
  about,
  breakOff,
  broadcastAs,
  countReaches,
  listed,
  newCast,
  storedStream,
  storeStream,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const MANY = 51;
/** Of a clock that is read beside the timer. */
const CLOCK_SLACK_MS = 10;

let { tara, asha, veer, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, veer, mira } = newCast());
});

const countsOf = (client: TestClient, streamId: string): number[] =>
  about(client, 'live:viewer_count', streamId).map(({ count }) => count);

/** Whom a client was told to have come or gone, in order. */
const movesOf = (client: TestClient, streamId: string): string[] =>
  client.received.flatMap(({ event, args: [payload] }) => {
    const move = payload as { streamId: string; user: { id: string } };
    if (event !== 'live:viewer_joined' && event !== 'live:viewer_left') return [];
    return move.streamId === streamId ? [`${event.slice('live:viewer_'.length)} ${move.user.id}`] : [];
  });

describe('viewers are counted', () => {
  let testApp: TestApp;
  let url: string;
  beforeAll(async () => {
    testApp = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 100 })]);
    ({ url } = testApp);
  });

  it('each identity once, whatever its devices, and the broadcaster not at all', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await watchAs(url, tara, streamId);
    const people: Person[] = [asha, asha, asha, veer, astrologer(asha.id), admin('one'), admin('two')];
    const clients: TestClient[] = [];
    for (const person of people) clients.push(await watchAs(url, person, streamId));
    // The user, the other user, the astrologer of the same id, and the admins, who are one.
    await countReaches(4, streamId, host);
    clients.push(await watchAs(url, mira, streamId));
    await countReaches(5, streamId, host, ...clients);
    expect(Math.max(...countsOf(host, streamId))).toBe(5);
    expect(movesOf(host, streamId).toSorted()).toEqual(
      [asha.id, veer.id, asha.id, 'admin', mira.id].map((id) => `joined ${id}`).toSorted(),
    );
  });

  it('and told to all in the room, with a time in milliseconds, and to nobody else', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const stranger = await connectAs(url, mira);
    const viewer = await watchAs(
      url,
      { ...asha, name: 'Asha', avatar: 'https://example.com/a.png' },
      streamId,
    );
    await countReaches(1, streamId, host, viewer);
    const timestamp = expect.any(Number) as number;
    expect(about(host, 'live:viewer_count', streamId).at(-1)).toEqual({ streamId, count: 1, timestamp });
    expect(await host.waitFor('live:viewer_joined')).toEqual({
      streamId,
      user: { id: asha.id, name: 'Asha', profileImage: 'https://example.com/a.png' },
      viewerCount: 1,
      timestamp,
    });
    const { timestamp: at } = await host.waitFor('live:viewer_joined');
    expect(Number.isInteger(at) && Math.abs(Date.now() - at) < 60_000).toBe(true);
    await stranger.ask('get_stats', {});
    expect([countsOf(stranger, streamId), movesOf(stranger, streamId)]).toEqual([[], []]);
  });

  it('not any more when their connection broke for good', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const other = await watchAs(url, veer, streamId);
    await countReaches(2, streamId, host);
    breakOff(viewer);
    await countReaches(1, streamId, host, other);
    expect(movesOf(host, streamId).at(-1)).toBe(`left ${asha.id}`);
    expect(about(host, 'live:viewer_left', streamId)).toMatchObject([{ viewerCount: 1 }]);
    breakOff(other);
    await countReaches(0, streamId, host);
    expect(await listed(host, streamId)).toMatchObject({ viewerCount: 0, peakViewerCount: 2 });
  });

  it('while one of their devices is left', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [phone] = [await watchAs(url, asha, streamId), await watchAs(url, asha, streamId)];
    await countReaches(1, streamId, host);
    breakOff(phone);
    const other = await watchAs(url, veer, streamId);
    await countReaches(2, streamId, host);
    breakOff(other);
    // The other one went after the phone, and was counted for as long.
    await countReaches(1, streamId, host);
    expect(movesOf(host, streamId)).toEqual([`joined ${asha.id}`, `joined ${veer.id}`, `left ${veer.id}`]);
  });

  it('at their peak, and in total, on the stream, each once however often they come', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewers = [await watchAs(url, asha, streamId), await watchAs(url, veer, streamId)];
    await countReaches(2, streamId, host);
    for (const viewer of viewers) await viewer.ask('live:leave', { streamId });
    await countReaches(0, streamId, host);
    const again = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host, again);
    await watchAs(url, mira, streamId);
    await until(async () => (await storedStream(testApp, streamId)).totalViews === 3);
    await countReaches(2, streamId, host);
    expect(await listed(host, streamId)).toMatchObject({
      viewerCount: 2,
      peakViewerCount: 2,
      totalViews: 3,
    });
  });

  it('of each stream by itself', async () => {
    const [one, two] = [await broadcastAs(url, tara), await broadcastAs(url, astrologer(mira.id))];
    const viewer = await watchAs(url, asha, one.streamId);
    await watch(viewer, two.streamId);
    await watchAs(url, veer, two.streamId);
    await countReaches(1, one.streamId, one.host);
    await countReaches(2, two.streamId, two.host);
    await viewer.ask('live:leave', { streamId: two.streamId });
    await countReaches(1, two.streamId, two.host);
    expect(await listed(viewer, one.streamId)).toMatchObject({ viewerCount: 1 });
    expect(countsOf(two.host, one.streamId)).toEqual([]);
  });

  it('of a stream that another process made, too, whose owner has an ObjectId', async () => {
    const owner = astrologer('5f'.repeat(12));
    const streamId = await storeStream(testApp, {
      astrologerId: new Types.ObjectId(owner.id),
      lastHeartbeat: new Date(),
    });
    const host = await connectAs(url, owner);
    expect(await watch(host, streamId, { isBroadcaster: true })).toMatchObject({ isBroadcaster: true });
    const viewer = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host, viewer);
    await until(async () => (await storedStream(testApp, streamId)).peakViewerCount === 1);
    expect(movesOf(host, streamId)).toEqual([`joined ${asha.id}`]);
  });

  it('with the number alone when there are more than 50, and by name again when there are fewer', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const people = Array.from({ length: MANY }, (_, i) => user(`${asha.id}-${i}`));
    const clients = await connectAll(url, ...people);
    // All in the same look, or by looks that count fewer: those are told by name.
    await Promise.all(clients.map((client) => watch(client, streamId)));
    await countReaches(MANY, streamId, host);
    const before = movesOf(host, streamId).length;
    expect(before).toBeLessThanOrEqual(MANY - 1);
    const one = await watchAs(url, mira, streamId);
    await countReaches(MANY + 1, streamId, host);
    await one.ask('live:leave', { streamId });
    await countReaches(MANY, streamId, host);
    expect(movesOf(host, streamId)).toHaveLength(before);
    // From one more than are told by name, and back to it: not by name.
    await clients[0]?.ask('live:leave', { streamId });
    await countReaches(MANY - 1, streamId, host);
    expect(movesOf(host, streamId)).toHaveLength(before);
    await clients[1]?.ask('live:leave', { streamId });
    await countReaches(MANY - 2, streamId, host);
    const last = await watchAs(url, veer, streamId);
    await countReaches(MANY - 1, streamId, host, last);
    await watchAs(url, mira, streamId);
    await countReaches(MANY, streamId, host, last);
    const named = [`left ${people[1]?.id}`, `joined ${veer.id}`];
    expect(movesOf(host, streamId).slice(before)).toEqual(named);
  });

  it('with the number alone when a crowd goes at once', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const people = Array.from({ length: MANY }, (_, i) => user(`${asha.id}-${i}`));
    const clients = await connectAll(url, ...people);
    await Promise.all(clients.map((client) => watch(client, streamId)));
    await countReaches(MANY, streamId, host);
    const before = movesOf(host, streamId);
    // In one turn of the event loop, so that one look finds all of it.
    const emitter = testApp.app.get(EmitterService, { strict: false });
    for (const person of people.slice(1)) emitter.putOut(liveRoom(streamId), personalRoom(person));
    await countReaches(1, streamId, host);
    await clients[0]?.ask('live:leave', { streamId });
    await countReaches(0, streamId, host);
    expect(movesOf(host, streamId)).toEqual([...before, `left ${people[0]?.id}`]);
  });
});

describe('the snapshot of a stream', () => {
  it('counts whoever gets it, but the broadcaster, and all who came before, before anything was told', async () => {
    const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 3_600_000 })]);
    const { host, streamId } = await broadcastAs(url, tara);
    const counts: number[] = [];
    for (const person of [asha, asha, veer, tara, admin('one'), admin('two'), mira]) {
      const { viewerCount, stream } = await watch(await connectAs(url, person), streamId);
      expect(stream.viewerCount).toBe(viewerCount);
      counts.push(viewerCount);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(countsOf(host, streamId)).toEqual([]);
  });
});

describe('a count that is what it was', () => {
  it('is told to who came meanwhile and was told another one, and to nobody else', async () => {
    const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 1500 })]);
    const { host, streamId } = await broadcastAs(url, tara);
    const goes = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host);
    const comes = await connectAs(url, veer);
    await watch(comes, streamId);
    await goes.ask('live:leave', { streamId });
    await countReaches(1, streamId, comes);
    await watchAs(url, mira, streamId);
    await countReaches(2, streamId, host, comes);
    // A look between the two would have told all of both.
    if (countsOf(host, streamId).length === 2) expect(countsOf(comes, streamId)).toEqual([1, 2]);
    expect(countsOf(goes, streamId).at(-1)).toBe(1);
  });

  it('is told to whom the stream came back, since it may have changed while they were away', async () => {
    const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 3_600_000 })]);
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host, viewer);
    breakOff(viewer);
    await watchAs(url, veer, streamId);
    await countReaches(2, streamId, host);
    const back = await connectAs(url, asha);
    await countReaches(2, streamId, back);
    expect(countsOf(host, streamId).at(-1)).toBe(2);
    expect(countsOf(back, streamId)).toEqual([2]);
  });
});

describe('a viewer whose connection broke', () => {
  it('never left when they are back in time: the count says nothing, and nobody is told', async () => {
    const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 3000 })]);
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, gone] = [await watchAs(url, asha, streamId), await watchAs(url, veer, streamId)];
    await countReaches(2, streamId, host);
    const before = countsOf(host, streamId);
    const moves = movesOf(host, streamId);
    breakOff(viewer);
    const back = await connectAs(url, asha);
    // This one goes after the other one came back: when it is counted no more, the other one's time is over, too.
    breakOff(gone);
    await countReaches(1, streamId, host, back);
    expect(countsOf(host, streamId)).toEqual([...before, 1]);
    expect(movesOf(host, streamId)).toEqual([...moves, `left ${veer.id}`]);
  });

  it('is counted for a while, and then is not', async () => {
    const lingerMs = 700;
    const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs })]);
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host);
    const before = performance.now();
    breakOff(viewer);
    await countReaches(0, streamId, host);
    expect(performance.now() - before).toBeGreaterThan(lingerMs - CLOCK_SLACK_MS);
  });

  it('who says so has left at once', async () => {
    const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 3_600_000 })]);
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host);
    await viewer.ask('live:leave', { streamId });
    await countReaches(0, streamId, host);
    expect(movesOf(host, streamId)).toEqual([`joined ${asha.id}`, `left ${asha.id}`]);
  });
});

describe('the count with the times that clients are promised', () => {
  it('comes at most once a second, only when it changed, and the last one is right', async () => {
    const { url } = await startApp();
    const { host, streamId } = await broadcastAs(url, tara);
    const clients = await connectAll(url, ...Array.from({ length: 10 }, (_, i) => user(`${asha.id}-${i}`)));
    for (let round = 0; round < 3; round += 1) {
      for (const client of clients) await watch(client, streamId);
      await countReaches(clients.length, streamId, host);
      for (const client of clients.slice(round + 1)) await client.ask('live:leave', { streamId });
      await countReaches(round + 1, streamId, host);
    }
    const told = about(host, 'live:viewer_count', streamId);
    for (const [index, { count, timestamp }] of told.slice(1).entries()) {
      const before = told[index] as LiveViewerCountPayload;
      expect(timestamp - before.timestamp).toBeGreaterThanOrEqual(1000 - CLOCK_SLACK_MS);
      expect(count).not.toBe(before.count);
    }
    expect(told.at(-1)?.count).toBe(3);
    expect(await listed(host, streamId)).toMatchObject({ viewerCount: 3, peakViewerCount: 10 });
  });
});
