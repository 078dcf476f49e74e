import { startApp, type TestApp } from '../../support/app.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import type { LiveTokenPayload } from '../../../src/contract/live.js';
import { expectNeedsStream } from '../../support/live.js';
import { ban, broadcastAs, ENDED, newCast, storeStream, watchAs } from '../../support/live-stream.js';
import { refused } from '../../support/refusals.js';
import { admin, user } from '../../support/token.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

let { tara, asha } = newCast();
beforeEach(() => {
  ({ tara, asha } = newCast());
});

const tokenOf = (client: TestClient, streamId: string): Promise<LiveTokenPayload> =>
  client.ask('live:token', { streamId });
const privilegesOf = ({ agoraToken }: LiveTokenPayload): string[] =>
  Object.keys(decodeAgoraToken(agoraToken).privileges);

describe('live:token', () => {
  it('gives the owner a token that may publish in the same channel', async () => {
    const { host, streamId, channelName, agoraAppId } = await broadcastAs(url, tara);
    const fresh = await tokenOf(host, streamId);
    expect(fresh).toEqual({
      streamId,
      channelName,
      agoraAppId,
      uid: 0,
      isBroadcaster: true,
      agoraToken: expect.any(String) as string,
      expiresAt: expect.any(Number) as number,
    });
    expect(privilegesOf(fresh)).toEqual(['join', 'publishAudio', 'publishVideo', 'publishData']);
    expect(decodeAgoraToken(fresh.agoraToken).channelName).toBe(channelName);
    expect(privilegesOf(await tokenOf(await connectAs(url, tara), streamId))).toHaveLength(4);
  });

  it('gives who watches a token that can join and do nothing else', async () => {
    const { streamId, channelName } = await broadcastAs(url, tara);
    for (const person of [asha, user(tara.id), admin('root')]) {
      const viewer = await watchAs(url, person, streamId);
      const fresh = await tokenOf(viewer, streamId);
      expect(fresh).toMatchObject({ channelName, isBroadcaster: false });
      expect(privilegesOf(fresh)).toEqual(['join']);
    }
  });

  it('is for the channel of the stream, whatever the payload says', async () => {
    const { streamId, channelName } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    const fields = { streamId, channelName: 'somebody-elses', isBroadcaster: true, role: 'publisher' };
    const fresh = await viewer.ask<LiveTokenPayload>('live:token', fields);
    expect(fresh.channelName).toBe(channelName);
    expect(decodeAgoraToken(fresh.agoraToken)).toMatchObject({ channelName });
    expect(privilegesOf(fresh)).toEqual(['join']);
  });

  it('has the stream’s id for a channel when another process stored no other', async () => {
    const streamId = await storeStream(testApp, { astrologerId: tara.id });
    const viewer = await watchAs(url, asha, streamId);
    expect(await tokenOf(viewer, streamId)).toMatchObject({ channelName: streamId });
  });

  it('is refused to who does not watch, never did or left', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const viewer = await connectAs(url, asha);
    expect(await refusal(viewer, 'live:token', { streamId })).toEqual(refused('FORBIDDEN'));
    await viewer.ask('live:join', { streamId });
    await tokenOf(viewer, streamId);
    await viewer.ask('live:leave', { streamId });
    expect(await refusal(viewer, 'live:token', { streamId })).toEqual(refused('FORBIDDEN'));
    const staff = await connectAs(url, admin('root'));
    expect(await refusal(staff, 'live:token', { streamId })).toEqual(refused('FORBIDDEN'));
  });

  it('is refused to who was banned, even while the socket is in the room', async () => {
    const { streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await ban(testApp, streamId, asha);
    expect(await refusal(viewer, 'live:token', { streamId })).toEqual(refused('FORBIDDEN'));
  });

  it('is refused when the stream has ended, to the owner, too', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, streamId);
    await host.ask('live:end', { streamId });
    for (const client of [host, viewer])
      expect(await refusal(client, 'live:token', { streamId })).toEqual(ENDED);
  });

  it('is refused when there is no such stream, and without an id', async () => {
    const viewer = await connectAs(url, asha);
    expect(await refusal(viewer, 'live:token', { streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
    await expectNeedsStream(viewer, 'live:token');
  });
});
