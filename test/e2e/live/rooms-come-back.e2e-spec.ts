import { OpenRoomTimes } from '../../../src/open-rooms/open-room-times.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import {
  about,
  ban,
  breakOff,
  broadcastAs,
  changeStream,
  countReaches,
  newCast,
  settle,
  start,
  told,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import type { Person } from '../../support/token.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 200 })]);
  ({ url } = testApp);
});

let { tara, asha, veer } = newCast();
beforeEach(() => {
  ({ tara, asha, veer } = newCast());
});

/** Whoever it is connects again and does nothing else: neither client joins anything after a reconnect. */
const comeBack = (person: Person): Promise<TestClient> => connectAs(url, person);

/** Whether the client is in the room: ends the stream. */
async function isInRoom(host: TestClient, streamId: string, client: TestClient): Promise<boolean> {
  await host.ask('live:end', { streamId });
  await settle(client);
  return about(client, 'live:end', streamId).length > 0;
}

describe('the room of a stream comes back', () => {
  it('to a viewer, who is counted again, also after it was not counted any more', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host);
    breakOff(viewer);
    await countReaches(0, streamId, host);
    const back = await comeBack(asha);
    await countReaches(1, streamId, host, back);
    expect(await back.ask('live:token', { streamId })).toMatchObject({ isBroadcaster: false });
    expect(await isInRoom(host, streamId, back)).toBe(true);
  });

  it('to the broadcaster, who is not counted', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await watchAs(url, asha, streamId);
    await countReaches(1, streamId, host);
    breakOff(host);
    const back = await comeBack(tara);
    await watchAs(url, veer, streamId);
    await countReaches(2, streamId, back);
    expect(about(back, 'live:viewer_joined', streamId).map(({ user }) => user.id)).toEqual([veer.id]);
    expect(await isInRoom(back, streamId, back)).toBe(true);
  });

  it('not when it was left', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await viewer.ask('live:leave', { streamId });
    breakOff(viewer);
    expect(await isInRoom(host, streamId, await comeBack(asha))).toBe(false);
  });

  it('not when the stream has ended', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    breakOff(viewer);
    await host.ask('live:end', { streamId });
    const back = await comeBack(asha);
    const { streamId: next } = await start(host);
    await watchAs(url, veer, next);
    await countReaches(1, next, host);
    await settle(back);
    expect(told(back, streamId)).toEqual([]);
    expect(await isInRoom(host, next, back)).toBe(false);
    // One that was told once more would reach whoever is in the room.
    await changeStream(testApp, streamId, { endToldDue: new Date() });
    await back.waitFor('live:stream_ended', (ended) => ended.streamId === streamId);
    expect(told(back, streamId)).toEqual(['live:stream_ended']);
  });

  it('not to who was banned meanwhile', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const other = await watchAs(url, veer, streamId);
    await countReaches(2, streamId, host);
    breakOff(viewer);
    breakOff(other);
    await ban(testApp, streamId, asha);
    const [back, otherBack] = [await comeBack(asha), await comeBack(veer)];
    await countReaches(1, streamId, host, otherBack);
    expect(await isInRoom(host, streamId, back)).toBe(false);
  });

  it('not after the time for it', async () => {
    const hasty = { provide: OpenRoomTimes, useValue: Object.assign(new OpenRoomTimes(), { returnMs: 0 }) };
    const node = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 50 }), hasty]);
    const { host, streamId } = await broadcastAs(node.url, tara);
    const viewer = await watchAs(node.url, asha, streamId);
    await countReaches(1, streamId, host);
    breakOff(viewer);
    await countReaches(0, streamId, host);
    expect(await isInRoom(host, streamId, await connectAs(node.url, asha))).toBe(false);
  });
});
