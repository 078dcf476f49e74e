import type { LiveSnapshotPayload, LiveSummaryPayload } from '../../../src/contract/live.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { freePort } from '../../support/free-port.js';
import {
  about,
  broadcastAs,
  countReaches,
  listed,
  newCast,
  settle,
  told,
  watch,
  watchAs,
} from '../../support/live-stream.js';
import { type RunningProcess, startServer, temporaryFolder } from '../../support/processes.js';
import { type Person, user } from '../../support/token.js';

const VIEWERS = 12;
const OWNER_RETURN_MS = 60_000;
/** From the deadline to its look, its end, and a machine that is busy. */
const SLACK_MS = 25_000;
const TEST_TIMEOUT_MS = 150_000;

/** The server as its users run it: killed, it comes back to the same place with the same data. */
async function startFixed(): Promise<{ url: string; restart: () => Promise<RunningProcess> }> {
  const [dataDir, PORT] = [await temporaryFolder(), String(await freePort())];
  let server = await startServer(dataDir, { PORT });
  return {
    url: server.address,
    restart: async () => {
      await server.stop('SIGKILL');
      server = await startServer(dataDir, { PORT });
      return server;
    },
  };
}

/** A client of socket.io reconnects by itself; this one is the next one of the same person. */
const comeBack = (url: string, people: Person[]): Promise<TestClient[]> =>
  Promise.all(people.map((person) => connectAs(url, person)));

describe('the server is killed with SIGKILL mid-stream and started again', () => {
  it('the broadcaster’s rejoin keeps the stream, viewers’ rejoin rebuilds the count, and nothing that was counted is lost', async () => {
    const { tara } = newCast();
    const { url, restart } = await startFixed();
    const { host, streamId, channelName } = await broadcastAs(url, tara, { title: 'Moon' });
    const people = Array.from({ length: VIEWERS }, (_, i) => user(`viewer${i}`));
    const viewers = await comeBack(url, people);
    await Promise.all(viewers.map((viewer) => watch(viewer, streamId)));
    await countReaches(VIEWERS, streamId, host);

    const server = await restart();
    const hostBack = await connectAs(url, tara);
    const snapshot = await hostBack.ask<LiveSnapshotPayload>('live:join', { streamId, isBroadcaster: true });
    expect(snapshot).toMatchObject({ isBroadcaster: true, channelName, stream: { title: 'Moon' } });
    // Half of them say so; the rooms of the others come back by themselves.
    const back = await comeBack(url, people);
    for (const viewer of back.slice(0, VIEWERS / 2)) await watch(viewer, streamId);
    await countReaches(VIEWERS, streamId, hostBack, ...back);
    expect(await listed(hostBack, streamId)).toMatchObject({
      viewerCount: VIEWERS,
      peakViewerCount: VIEWERS,
      totalViews: VIEWERS,
    });
    const newcomer = await watchAs(url, user('newcomer'), streamId);
    await countReaches(VIEWERS + 1, streamId, hostBack, newcomer);

    const summary = await hostBack.ask<LiveSummaryPayload>('live:end', { streamId });
    expect(summary).toMatchObject({ peakViewerCount: VIEWERS + 1, startedAt: snapshot.stream.startedAt });
    await settle(...back);
    for (const viewer of back) expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
    expect(await server.stop()).toBe(0);
  });

  it(
    'a broadcaster who does not return ends the stream after 60 s for everybody',
    async () => {
      const { tara, asha, mira } = newCast();
      const { url, restart } = await startFixed();
      const { streamId } = await broadcastAs(url, tara);
      await watchAs(url, asha, streamId);
      const before = Date.now();
      await restart();
      const [viewer, stranger] = (await comeBack(url, [asha, mira])) as [TestClient, TestClient];
      expect(await listed(viewer, streamId)).toMatchObject({ isLive: true });
      const ended = new Promise<{ at: number }>((resolve) =>
        stranger.socket.on('live:stream_ended', () => resolve({ at: Date.now() })),
      );
      const { at } = await ended;
      expect(at - before).toBeGreaterThanOrEqual(OWNER_RETURN_MS - 5000);
      expect(at - before).toBeLessThan(OWNER_RETURN_MS + SLACK_MS);
      await settle(viewer, stranger);
      expect(told(viewer, streamId)).toEqual(['live:end', 'live:stream_ended']);
      expect(told(stranger, streamId)).toEqual(['live:stream_ended']);
      expect(about(stranger, 'live:end', streamId)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
