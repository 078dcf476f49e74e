import { Types } from 'mongoose';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { refusal } from '../../support/direct-chat.js';
import {
  about,
  breakOff,
  broadcastAs,
  changeStream,
  ENDED,
  endsAt,
  inBrief,
  LATER_MS,
  letTimePass,
  listed,
  newCast,
  OWNER_RETURN_MS,
  settle,
  storedStream,
  storeStream,
  streamsOf,
  told,
  watch,
  watchAs,
} from '../../support/live-stream.js';
import { admin } from '../../support/token.js';
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

describe('a stream whose broadcaster has gone', () => {
  it('ends for everybody, as if by live:end', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, stranger] = [await watchAs(url, asha, streamId), await connectAs(url, mira)];
    const before = performance.now();
    breakOff(host);
    await endsAt(stranger, streamId);
    expect(performance.now() - before).toBeGreaterThan(OWNER_RETURN_MS - 50);
    await settle(viewer, stranger);
    const timestamp = expect.any(Number) as number;
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(about(viewer, 'live:end', streamId)).toEqual([
      { streamId, message: expect.any(String) as string, timestamp },
    ]);
    expect(about(stranger, 'live:stream_ended', streamId)).toEqual([
      { streamId, astrologerId: tara.id, astrologerName: `Name of ${tara.id}`, timestamp },
    ]);
    expect(await refusal(viewer, 'live:token', { streamId })).toEqual(ENDED);
    expect(await refusal(viewer, 'live:join', { streamId })).toEqual(ENDED);
    expect(await listed(viewer, streamId)).toBeUndefined();
    await until(async () => (await storedStream(testApp, streamId)).endToldDue === undefined);
    expect(await storedStream(testApp, streamId)).toMatchObject({ isLive: false });
    const { streamId: next } = await broadcastAs(url, tara);
    expect(await listed(viewer, next)).toMatchObject({ isLive: true });
  });

  it('goes on when the broadcaster is back in time, and does what it says', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    breakOff(host);
    const back = await connectAs(url, tara);
    await watch(back, streamId, { isBroadcaster: true });
    await letTimePass(url, viewer);
    expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
    expect(about(viewer, 'live:end', streamId)).toEqual([]);
    await back.ask('live:end', { streamId });
  });

  it('goes on while the broadcaster has another socket, wherever that is', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const dashboard = await connectAs(url, tara);
    breakOff(host);
    await letTimePass(url, viewer);
    expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
    breakOff(dashboard);
    await endsAt(viewer, streamId);
  });

  it('goes on while another process writes heartbeats into its document, and ends after the last one', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    breakOff(host);
    await changeStream(testApp, streamId, { lastHeartbeat: new Date(Date.now() + LATER_MS) });
    await letTimePass(url, viewer);
    expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
    const last = Date.now();
    await changeStream(testApp, streamId, { lastHeartbeat: new Date(last) });
    const { timestamp } = await endsAt(viewer, streamId);
    expect(timestamp - last).toBeGreaterThanOrEqual(OWNER_RETURN_MS);
  });

  it('goes on when a heartbeat is stored at the moment of its end', async () => {
    const { mongoUri } = await startApp({}, [], inBrief({ lookIntervalMs: LATER_MS }));
    const proxy = await DatabaseProxy.start(mongoUri);
    const node = await startApp({ MONGODB_URI: proxy.uri }, [], inBrief());
    const viewer = await connectAs(node.url, asha);
    const deserted = { astrologerId: tara.id, startedAt: new Date(0) };
    const held = proxy.hold(command('findAndModify', 'livestreams'));
    const streamId = await storeStream(node, deserted);
    const resume = await held;
    await changeStream(node, streamId, { lastHeartbeat: new Date(Date.now() + LATER_MS) });
    resume();
    // It ends by a later look.
    await endsAt(viewer, await storeStream(node, deserted));
    expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
  });

  it.each([undefined, 'of another kind'])(
    'goes on when its broadcaster’s heartbeat is acknowledged at the moment of its end, the one before being %p',
    async (lastHeartbeat) => {
      const { mongoUri, url: elsewhere } = await startApp({}, [], inBrief({ lookIntervalMs: LATER_MS }));
      const proxy = await DatabaseProxy.start(mongoUri);
      const node = await startApp({ MONGODB_URI: proxy.uri }, [], inBrief({ ownerReturnMs: 60_000 }));
      const viewer = await connectAs(node.url, asha);
      const held = proxy.hold(command('findAndModify', 'livestreams'));
      const startedAt = new Date(0);
      const streamId = await storeStream(node, {
        astrologerId: tara.id,
        startedAt,
        ...(lastHeartbeat !== undefined && { lastHeartbeat }),
      });
      const resume = await held;
      const host = await connectAs(elsewhere, tara);
      await host.ask('live:heartbeat', { streamId });
      resume();
      await endsAt(viewer, await storeStream(node, { astrologerId: mira.id, startedAt }));
      expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
    },
  );

  it('has the whole time from the last heartbeat on, which came just before the broadcaster went', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await host.ask('live:heartbeat', { streamId });
    const { lastHeartbeat } = await storedStream(testApp, streamId);
    breakOff(host);
    const { timestamp } = await endsAt(viewer, streamId);
    expect(timestamp - (lastHeartbeat?.getTime() ?? 0)).toBeGreaterThanOrEqual(OWNER_RETURN_MS);
  });

  it('is found behind more than a thousand others that go on', async () => {
    const node = await startApp({}, [], inBrief());
    const viewer = await connectAs(node.url, asha);
    const isLive = true;
    const deserted = { _id: new Types.ObjectId(), isLive, astrologerId: tara.id, startedAt: new Date(0) };
    const lastHeartbeat = new Date(Date.now() + LATER_MS);
    const others = Array.from({ length: 2100 }, (_, i) => ({
      _id: new Types.ObjectId(),
      isLive,
      astrologerId: `other${i}`,
      lastHeartbeat,
    }));
    await streamsOf(node).insertMany([...others, deserted]);
    await endsAt(viewer, deserted._id.toHexString());
    expect(await streamsOf(node).countDocuments({ isLive })).toBe(others.length);
    await node.app.close();
  });

  it('is not kept by viewers, nor by somebody of the same id', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [viewer, staff] = [
      await watchAs(url, { id: tara.id, type: 'user' }, streamId),
      await watchAs(url, admin(tara.id), streamId),
    ];
    breakOff(host);
    await endsAt(viewer, streamId);
    await endsAt(staff, streamId);
  });
});
