import { startApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { MISSING_ID } from '../../support/direct-chat.js';
import { expectNeedsStream } from '../../support/live.js';
import {
  about,
  broadcastAs,
  countReaches,
  newCast,
  settle,
  told,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';

let url: string;
beforeAll(async () => {
  // Nobody whose connection broke is gone before the tests are over.
  ({ url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50, lingerMs: 3_600_000 })]));
});

let { tara, asha, veer } = newCast();
beforeEach(() => {
  ({ tara, asha, veer } = newCast());
});

describe('live:leave', () => {
  it('takes the socket out of the room, and out of the count at once', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [leaver, stayer] = [await watchAs(url, asha, streamId), await watchAs(url, veer, streamId)];
    await countReaches(2, streamId, host);
    expect(await leaver.ask('live:leave', { streamId })).toEqual({ streamId, success: true });
    await countReaches(1, streamId, host, stayer);
    const [left] = about(host, 'live:viewer_left', streamId);
    expect(left).toMatchObject({ user: { id: asha.id }, viewerCount: 1 });
    await host.ask('live:end', { streamId });
    await settle(leaver);
    expect(told(leaver, streamId)).toEqual(['live:stream_ended']);
  });

  it('can be taken back by a join, and joins and leaves of a socket take effect in their order', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await connectAs(url, asha);
    const events = ['live:join', 'live:leave', 'live:join', 'live:leave', 'live:join'];
    const acks = await Promise.all(events.map((event) => viewer.send(event, { streamId })));
    expect(acks.every(({ ok }) => ok)).toBe(true);
    await countReaches(1, streamId, host);
    expect(await viewer.send('live:leave', { streamId })).toMatchObject({ ok: true });
    await Promise.all([viewer.send('live:join', { streamId }), viewer.send('live:leave', { streamId })]);
    await host.ask('live:end', { streamId });
    await settle(viewer);
    expect(about(viewer, 'live:end', streamId)).toEqual([]);
  });

  it('of one device leaves the other one watching', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const [phone, tablet] = [await watchAs(url, asha, streamId), await watchAs(url, asha, streamId)];
    await phone.ask('live:leave', { streamId });
    // The last of them: whatever came of the leave has come by then.
    const other = await watchAs(url, veer, streamId);
    await countReaches(2, streamId, host, tablet, other);
    expect(about(host, 'live:viewer_left', streamId)).toEqual([]);
    await host.ask('live:end', { streamId });
    await settle(phone, tablet);
    expect(about(phone, 'live:end', streamId)).toEqual([]);
    expect(about(tablet, 'live:end', streamId)).toHaveLength(1);
  });

  it('of the broadcaster ends nothing', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await host.ask('live:leave', { streamId });
    const viewer = await connectAs(url, asha);
    expect((await watch(viewer, streamId)).stream.isLive).toBe(true);
  });

  it('is no fault of who does not watch, whether there is such a stream or not', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const viewer = await connectAs(url, asha);
    for (const id of [streamId, MISSING_ID])
      expect(await viewer.ask('live:leave', { streamId: id })).toEqual({ streamId: id, success: true });
  });

  it('is refused without the id of a stream', async () => {
    await expectNeedsStream(await connectAs(url, asha), 'live:leave');
  });
});
