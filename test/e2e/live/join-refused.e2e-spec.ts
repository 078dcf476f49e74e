import { startApp, type TestApp } from '../../support/app.js';
import { connectAll, connectAs } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import { expectNeedsStream } from '../../support/live.js';
import {
  about,
  ban,
  broadcastAs,
  countReaches,
  ENDED,
  newCast,
  settle,
  told,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { expectBadField, refused } from '../../support/refusals.js';
import { astrologer } from '../../support/token.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50 })]);
  ({ url } = testApp);
});

let { tara, asha, veer } = newCast();
beforeEach(() => {
  ({ tara, asha, veer } = newCast());
});

describe('live:join that is refused', () => {
  it('is refused when the stream has ended', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await host.ask('live:end', { streamId });
    const viewer = await connectAs(url, asha);
    for (const client of [viewer, host])
      expect(await refusal(client, 'live:join', { streamId, isBroadcaster: true })).toEqual(ENDED);
  });

  it('is refused when there is no such stream', async () => {
    const viewer = await connectAs(url, asha);
    expect(await refusal(viewer, 'live:join', { streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
  });

  it('is refused to who was banned, on every device, and none gets a token or the events of the room', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await ban(testApp, streamId, asha);
    const [phone, tablet, namesake] = await connectAll(url, asha, asha, astrologer(asha.id));
    for (const device of [phone, tablet]) {
      expect(await refusal(device, 'live:join', { streamId })).toEqual(refused('FORBIDDEN'));
      expect(await refusal(device, 'live:token', { streamId })).toEqual(refused('FORBIDDEN'));
    }
    await watch(namesake, streamId);
    await countReaches(1, streamId, host, namesake);
    await host.ask('live:end', { streamId });
    await settle(phone, tablet);
    for (const device of [phone, tablet]) expect(told(device, streamId)).toEqual(['live:stream_ended']);
  });

  it('is refused to who is banned while they join, and they are neither in the room nor in the count then', async () => {
    const proxy = await DatabaseProxy.start(testApp.mongoUri);
    const times = withLiveTimes({ countIntervalMs: 50, lingerMs: 3_600_000 });
    const node = await startApp({ MONGODB_URI: proxy.uri }, [], [times]);
    const { host, streamId } = await broadcastAs(node.url, tara);
    await countReaches(0, streamId, host);
    const late = await connectAs(node.url, asha);
    const isLook = command('find', 'liveviewers');
    const before = proxy.hold(isLook);
    const answer = late.send('live:join', { streamId });
    const look = await before;
    const after = proxy.hold(isLook);
    look();
    const lookAgain = await after;
    await ban(node, streamId, asha);
    lookAgain();
    expect(await answer).toEqual({ ok: false, error: refused('FORBIDDEN') });
    await watchAs(node.url, veer, streamId);
    await host.waitFor('live:viewer_joined', ({ user: { id } }) => id === veer.id);
    expect(about(host, 'live:viewer_joined', streamId)).toHaveLength(1);
    expect(about(host, 'live:viewer_count', streamId).at(-1)?.count).toBe(1);
    await host.ask('live:end', { streamId });
    await settle(late);
    expect(told(late, streamId)).toEqual(['live:stream_ended']);
  });

  it.each([
    ['put out', 'live:ban', refused('FORBIDDEN')],
    ['in it when it ends', 'live:end', ENDED],
  ])(
    'is refused to who is %s after the room was entered, and brings neither a token nor a count',
    async (_, event, error) => {
      const proxy = await DatabaseProxy.start(testApp.mongoUri);
      const node = await startApp({ MONGODB_URI: proxy.uri });
      const { host, streamId } = await broadcastAs(node.url, tara);
      const late = await connectAs(node.url, asha);
      const held = proxy.hold(command('update', 'openrooms', streamId));
      const answer = late.send('live:join', { streamId });
      const release = await held;
      // Whoever comes later looks later: the look of the one who joins found nothing.
      await watchAs(node.url, veer, streamId);
      await host.ask(event, { streamId, userId: asha.id, userType: asha.type });
      release();
      expect(await answer).toEqual({ ok: false, error });
      await settle(late);
      expect(about(late, 'live:like_count', streamId)).toEqual([]);
    },
  );

  it('leaves who watches already where they are, when the database goes away meanwhile', async () => {
    const proxy = await DatabaseProxy.start(testApp.mongoUri);
    const node = await startApp({ MONGODB_URI: proxy.uri });
    const { host, streamId } = await broadcastAs(node.url, tara);
    const [viewer, late] = [await watchAs(node.url, asha, streamId), await connectAs(node.url, veer)];
    for (const client of [viewer, late]) {
      // The driver tries once more by itself.
      for (let i = 0; i < 2; i += 1) void proxy.plan('cut', command('update', 'openrooms', streamId));
      expect(await client.send('live:join', { streamId })).toMatchObject({
        ok: false,
        error: { code: 'UNAVAILABLE' },
      });
    }
    await host.ask('live:end', { streamId });
    await settle(viewer, late);
    expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(late, streamId)).toEqual(['live:stream_ended']);
  });

  it('is refused to who was banned from one stream, for that stream alone', async () => {
    const [one, two] = [await broadcastAs(url, tara), await broadcastAs(url, astrologer(veer.id))];
    await ban(testApp, one.streamId, asha);
    const viewer = await connectAs(url, asha);
    expect(await refusal(viewer, 'live:join', { streamId: one.streamId })).toEqual(refused('FORBIDDEN'));
    await watch(viewer, two.streamId);
  });

  it('is refused without the id of a stream, and with a wrong isBroadcaster', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const viewer = await connectAs(url, asha);
    await expectNeedsStream(viewer, 'live:join');
    for (const isBroadcaster of ['true', 1, {}])
      await expectBadField(viewer, 'live:join', { streamId, isBroadcaster }, 'isBroadcaster');
    expect(await watch(viewer, streamId, { isBroadcaster: null })).toMatchObject({ isBroadcaster: false });
  });
});
