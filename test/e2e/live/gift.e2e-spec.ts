import type { LiveGiftPayload, LiveSummaryPayload } from '../../../src/contract/live.js';
import type { LiveGift } from '../../../src/live/live-gift.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { DatabaseProxy } from '../../support/database-proxy.js';
import { refusal } from '../../support/direct-chat.js';
import { devicesOf, expectInsideOnly, expectNeedsStream, onAir, target } from '../../support/live.js';
import {
  ENDED,
  listed,
  settle,
  storedStream,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { expectBadField, refused } from '../../support/refusals.js';
import { until } from '../../support/until.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

const ROSE = { giftType: 'rose', giftValue: 50 };
const give = (client: TestClient, streamId: string, fields: object = {}) =>
  client.ask<LiveGiftPayload>('live:gift', { streamId, ...ROSE, ...fields });
const giftsOf = (streamId: string) =>
  collectionOf<LiveGift>(testApp, 'livegifts').find({ streamId }).toArray();

describe('live:gift', () => {
  it('is stored, totalled, and shown once to everybody in the stream, as a gift and among the comments', async () => {
    const { streamId, host, a, v, outsider, asha } = await onAir(url);
    const gift = await give(a, streamId, { clientGiftId: 'g1' });
    expect(gift).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      streamId,
      senderId: asha.id,
      senderType: 'user',
      senderName: `Name of ${asha.id}`,
      senderAvatar: '',
      ...ROSE,
      timestamp: expect.any(Number) as number,
    });
    const asComment = {
      id: gift.id,
      _id: gift.id,
      streamId,
      userId: asha.id,
      userType: 'user',
      userName: `Name of ${asha.id}`,
      userAvatar: '',
      message: 'Sent a gift: rose',
      timestamp: gift.timestamp,
      isGift: true,
      ...ROSE,
    };
    await settle(host, a, v, outsider);
    for (const client of [host, a, v]) {
      expect(client.all('live:gift')).toEqual([gift]);
      expect(client.all('live:comment')).toEqual([asComment]);
    }
    expect(outsider.all('live:gift')).toEqual([]);
    const { comments, stream } = await watch(outsider, streamId);
    expect(comments).toEqual([asComment]);
    expect(stream).toMatchObject({ giftCount: 1, giftValue: 50 });
    expect(await listed(outsider, streamId)).toMatchObject({ giftCount: 1, giftValue: 50 });
    expect(await host.ask<LiveSummaryPayload>('live:end', { streamId })).toMatchObject({
      giftCount: 1,
      giftValue: 50,
    });
  });

  it('20 times at once with one clientGiftId, on four devices, is stored, shown and totalled once', async () => {
    const { streamId, v, asha } = await onAir(url);
    const devices = await devicesOf(url, asha, streamId, 4);
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        give(devices[i % 4] as TestClient, streamId, { clientGiftId: 'once' }),
      ),
    );
    for (const ack of acks) expect(ack).toEqual(acks[0]);
    await settle(v, ...devices);
    for (const client of [v, ...devices]) {
      expect(client.all('live:gift')).toEqual([acks[0]]);
      expect(client.all('live:comment')).toHaveLength(1);
    }
    expect(await giftsOf(streamId)).toHaveLength(1);
    expect(await storedStream(testApp, streamId)).toMatchObject({ giftCount: 1, giftValue: 50 });
  });

  it('20 times at once with one clientGiftId on two nodes is one, too', async () => {
    const other = await startApp({ MONGODB_URI: testApp.mongoUri });
    const { streamId, host, a, asha } = await onAir(url);
    const far = await watchAs(other.url, asha, streamId);
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => give(i % 2 === 0 ? a : far, streamId, { clientGiftId: 'once' })),
    );
    for (const ack of acks) expect(ack).toEqual(acks[0]);
    await settle(host, far);
    // Without Redis each node shows to its own: one of the two did.
    expect(host.all('live:gift').length + far.all('live:gift').length).toBe(1);
    expect(await giftsOf(streamId)).toHaveLength(1);
    expect(await storedStream(testApp, streamId)).toMatchObject({ giftCount: 1, giftValue: 50 });
  });

  it('repeated later gives the gift that is stored, whatever else the repeat says', async () => {
    const { streamId, a, v, asha } = await onAir(url);
    const first = await give(a, streamId, { clientGiftId: 'g1' });
    const device = await watchAs(url, asha, streamId);
    expect(await give(device, streamId, { clientGiftId: 'g1', giftType: 'ring', giftValue: 1 })).toEqual(
      first,
    );
    await settle(v);
    expect(v.all('live:gift')).toEqual([first]);
    expect(await storedStream(testApp, streamId)).toMatchObject({ giftCount: 1, giftValue: 50 });
  });

  it.each([
    ['the stream has ended', 'live:end', ENDED],
    ['its sender was put out', 'live:ban', refused('FORBIDDEN')],
  ])('repeated when %s gives the gift that is stored, and nobody another one', async (_, event, error) => {
    const { streamId, host, a, v, asha } = await onAir(url);
    const first = await give(a, streamId, { clientGiftId: 'g1' });
    await host.ask(event, { streamId, ...target(asha) });
    const device = await connectAs(url, asha);
    expect(await give(device, streamId, { clientGiftId: 'g1' })).toEqual(first);
    for (const fields of [{ clientGiftId: 'g2' }, { clientGiftId: null }])
      expect(await refusal(device, 'live:gift', { streamId, ...ROSE, ...fields })).toEqual(error);
    await settle(v);
    expect(v.all('live:gift')).toEqual([first]);
    expect(await giftsOf(streamId)).toHaveLength(1);
  });

  it('is another one with the clientGiftId of somebody else, in another stream, or without one', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    await watch(one.a, other.streamId);
    const gifts = [
      await give(one.a, one.streamId, { clientGiftId: 'g' }),
      await give(one.v, one.streamId, { clientGiftId: 'g' }),
      await give(one.a, other.streamId, { clientGiftId: 'g' }),
      await give(one.a, one.streamId),
      await give(one.a, one.streamId, { clientGiftId: null }),
    ];
    expect(new Set(gifts.map(({ id }) => id)).size).toBe(5);
    expect(await storedStream(testApp, one.streamId)).toMatchObject({ giftCount: 4, giftValue: 200 });
    expect(await storedStream(testApp, other.streamId)).toMatchObject({ giftCount: 1, giftValue: 50 });
  });

  it('100 at once are all in the totals', async () => {
    const { streamId, host, a, v } = await onAir(url);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => give(i % 2 === 0 ? a : v, streamId, { giftValue: i })),
    );
    expect(await storedStream(testApp, streamId)).toMatchObject({ giftCount: 100, giftValue: 4950 });
    await settle(host);
    expect(new Set(host.all('live:gift').map(({ id }) => id)).size).toBe(100);
  });

  it.each([0, 1_000_000])('may be worth %i', async (giftValue) => {
    const { streamId, a } = await onAir(url);
    expect(await give(a, streamId, { giftValue })).toMatchObject({ giftValue });
    expect(await storedStream(testApp, streamId)).toMatchObject({ giftCount: 1, giftValue });
  });

  it('may come from who is muted', async () => {
    const { streamId, host, a, asha } = await onAir(url);
    await host.ask('live:mute', { streamId, ...target(asha) });
    await give(a, streamId);
    await host.waitFor('live:gift');
  });

  it('waits for the database four times, and a repeat three times', async () => {
    const database = await DatabaseProxy.start(testApp.mongoUri);
    const rare = { lookIntervalMs: 600_000, countIntervalMs: 600_000 };
    const node = await startApp({ MONGODB_URI: database.uri }, [], [withLiveTimes(rare)]);
    const { streamId, a } = await onAir(node.url);
    await until(async () => (await storedStream(node, streamId)).totalViews === 2);
    const commandsOf = async (): Promise<string[]> => {
      const before = database.commands.length;
      await give(a, streamId, { clientGiftId: 'g' });
      return database.commands
        .slice(before)
        .filter(({ collection }) => collection.startsWith('live'))
        .map(({ name, collection }) => `${name} ${collection}`);
    };
    const look = ['find livestreams', 'find liveviewers'];
    const made = await commandsOf();
    expect([
      made.slice(0, 2).toSorted(),
      made.slice(2, 3),
      made.slice(3, 5).toSorted(),
      made.slice(5),
    ]).toEqual([
      look,
      ['insert livegifts'],
      ['insert livecomments', 'update livestreams'],
      ['update livegifts'],
    ]);
    const repeated = await commandsOf();
    expect([repeated.slice(0, 2).toSorted(), repeated.slice(2)]).toEqual([
      look,
      ['insert livegifts', 'find livegifts'],
    ]);
  });

  it('is refused with what is no gift', async () => {
    const { streamId, a } = await onAir(url);
    const payload = { streamId, ...ROSE };
    for (const giftType of [undefined, null, '', ' ', 7, 'x'.repeat(65), 'a\nb', { $ne: null }])
      await expectBadField(a, 'live:gift', { ...payload, giftType }, 'giftType');
    for (const giftValue of [undefined, null, -1, 1.5, 1_000_001, '50', Number.MAX_VALUE, { $gt: 0 }])
      await expectBadField(a, 'live:gift', { ...payload, giftValue }, 'giftValue');
    for (const clientGiftId of ['', 7, 'x'.repeat(129), '\uD83D', { $ne: null }])
      await expectBadField(a, 'live:gift', { ...payload, clientGiftId }, 'clientGiftId');
    await expectNeedsStream(a, 'live:gift', ROSE);
    expect(await giftsOf(streamId)).toEqual([]);
  });

  it('is for those who are in the stream', () => expectInsideOnly(url, 'live:gift', ROSE));
});
