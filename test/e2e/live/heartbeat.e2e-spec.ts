import { startApp, type TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import { expectNeedsStream } from '../../support/live.js';
import {
  broadcastAs,
  changeStream,
  ENDED,
  newCast,
  storedStream,
  watchAs,
} from '../../support/live-stream.js';
import { refused } from '../../support/refusals.js';
import { admin, astrologer, user } from '../../support/token.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

let { tara, asha, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, mira } = newCast());
});

describe('live:heartbeat', () => {
  it('of the broadcaster is stored', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const longAgo = new Date(Date.now() - 3_600_000);
    await changeStream(testApp, streamId, { lastHeartbeat: longAgo });
    const before = Date.now();
    expect(await host.ask('live:heartbeat', { streamId })).toEqual({ streamId, success: true });
    const { lastHeartbeat } = await storedStream(testApp, streamId);
    expect(lastHeartbeat?.getTime()).toBeGreaterThanOrEqual(before);
  });

  it('never goes back behind a later one that another process wrote', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const later = new Date(Date.now() + 3_600_000);
    await changeStream(testApp, streamId, { lastHeartbeat: later });
    await host.ask('live:heartbeat', { streamId });
    expect((await storedStream(testApp, streamId)).lastHeartbeat).toEqual(later);
  });

  it('is refused to all others', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const { lastHeartbeat } = await storedStream(testApp, streamId);
    for (const person of [asha, user(tara.id), astrologer(mira.id), admin('root')]) {
      const client = await watchAs(url, person, streamId);
      expect(await refusal(client, 'live:heartbeat', { streamId })).toEqual(refused('FORBIDDEN'));
    }
    expect((await storedStream(testApp, streamId)).lastHeartbeat).toEqual(lastHeartbeat);
  });

  it('is refused when the stream has ended, does not exist, or has no id', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await host.ask('live:end', { streamId });
    expect(await refusal(host, 'live:heartbeat', { streamId })).toEqual(ENDED);
    const missing = { streamId: MISSING_ID };
    expect(await refusal(await connectAs(url, asha), 'live:heartbeat', missing)).toEqual(
      refused('NOT_FOUND'),
    );
    await expectNeedsStream(host, 'live:heartbeat');
  });
});
