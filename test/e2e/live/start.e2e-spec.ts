import { startApp, type TestApp } from '../../support/app.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { refusal } from '../../support/direct-chat.js';
import {
  about,
  broadcastAs,
  changeStream,
  ENDED,
  listed,
  newCast,
  settle,
  start,
  told,
  watchAs,
} from '../../support/live-stream.js';
import { expectBadField, refused } from '../../support/refusals.js';
import { admin, astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const ROUNDS = 10;

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

let { tara, asha, veer, mira } = newCast();
beforeEach(() => {
  ({ tara, asha, veer, mira } = newCast());
});

const startedBy = (client: TestClient, { id }: { id: string }) =>
  client.all('live:stream_started').filter(({ astrologerId }) => astrologerId === id);

describe('live:start', () => {
  it('gives the broadcaster a channel of its own and a token that may publish there', async () => {
    const { host: _host, ...ack } = await broadcastAs(url, tara);
    expect(ack).toEqual({
      streamId: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      channelName: expect.any(String) as string,
      agoraToken: expect.any(String) as string,
      agoraAppId: expect.any(String) as string,
      uid: 0,
      isBroadcaster: true,
      expiresAt: expect.any(Number) as number,
    });
    const token = decodeAgoraToken(ack.agoraToken);
    expect(token).toMatchObject({ channelName: ack.channelName, uid: 0, expireSeconds: 3600 });
    expect(Object.keys(token.privileges).toSorted()).toEqual([
      'join',
      'publishAudio',
      'publishData',
      'publishVideo',
    ]);
    expect(Math.abs(ack.expiresAt - Date.now() - 3600_000)).toBeLessThan(60_000);
    const other = await broadcastAs(url, mira.type === 'user' ? astrologer(mira.id) : mira);
    expect([other.streamId, other.channelName]).not.toContain(ack.streamId);
    expect(other.channelName).not.toBe(ack.channelName);
  });

  it('tells everybody who is connected, once, whoever they are', async () => {
    const face = { ...tara, name: 'Tara', avatar: 'https://example.com/tara.png' };
    const everybody = await connectAll(url, face, face, asha, asha, astrologer(veer.id), admin('root'));
    const before = Date.now();
    const { streamId } = await start(everybody[0], {
      title: 'Moon <b>signs</b> 🌙',
      description: 'All twelve',
      category: 'Astrology',
      tags: ['moon', 'signs'],
      astrologerId: 'somebody-else',
    });
    await settle(...everybody);
    for (const client of everybody) {
      expect(about(client, 'live:stream_started', streamId)).toEqual([
        {
          streamId,
          _id: streamId,
          astrologerId: tara.id,
          astrologerName: 'Tara',
          astrologerProfilePicture: 'https://example.com/tara.png',
          title: 'Moon <b>signs</b> 🌙',
          category: 'Astrology',
          isLive: true,
          timestamp: expect.any(Number) as number,
        },
      ]);
    }
    const [{ timestamp } = { timestamp: 0 }] = about(everybody[2], 'live:stream_started', streamId) as {
      timestamp: number;
    }[];
    expect(Number.isInteger(timestamp) && timestamp >= before && timestamp <= Date.now()).toBe(true);
    expect(await listed(everybody[2], streamId)).toMatchObject({
      title: 'Moon <b>signs</b> 🌙',
      description: 'All twelve',
      category: 'Astrology',
      tags: ['moon', 'signs'],
    });
  });

  it('needs nothing but an astrologer', async () => {
    const host = await connectAs(url, tara);
    for (const payload of [{}, { title: null, description: null, category: null, tags: null }]) {
      const { streamId } = await start(host, payload);
      expect(await listed(host, streamId)).toMatchObject({
        title: '',
        description: '',
        category: '',
        tags: [],
      });
    }
  });

  it('puts the broadcaster into the room', async () => {
    const { host, streamId } = await broadcastAs(url, tara);
    await host.ask('live:end', { streamId });
    await settle(host);
    expect(told(host, streamId)).toEqual(['live:stream_started', 'live:end', 'live:stream_ended']);
  });

  it('ends a former stream of the same astrologer as live:end would', async () => {
    const { host, streamId: former } = await broadcastAs(url, tara);
    const viewer = await watchAs(url, asha, former);
    const [stranger, second] = await connectAll(url, mira, tara);
    const { streamId } = await start(second);
    await settle(host, viewer, stranger, second);
    expect(told(host, former)).toEqual(['live:stream_started', 'live:end', 'live:stream_ended']);
    expect(told(viewer, former)).toEqual(['live:end', 'live:stream_ended']);
    expect(told(stranger, former)).toEqual(['live:stream_ended']);
    for (const client of [viewer, stranger, second]) {
      const order = client.received.map(({ event }) => event);
      expect(order.indexOf('live:stream_ended')).toBeLessThan(order.lastIndexOf('live:stream_started'));
    }
    expect(await refusal(viewer, 'live:join', { streamId: former })).toEqual(ENDED);
    expect(await listed(stranger, former)).toBeUndefined();
    expect(await listed(stranger, streamId)).toMatchObject({ isLive: true });
    // The viewer is not in the room of the stream that it was not asked to watch.
    await second.ask('live:end', { streamId });
    await settle(viewer);
    expect(told(viewer, streamId)).toEqual(['live:stream_started', 'live:stream_ended']);
  });

  it('of two devices that start at once leaves one stream, and everybody knows which one', async () => {
    const [one, two, viewer] = await connectAll(url, tara, tara, asha);
    for (let round = 0; round < ROUNDS; round += 1) {
      const streams = await Promise.all([start(one), start(two)]);
      const ids = streams.map(({ streamId }) => streamId);
      await settle(viewer, one, two);
      const live = await Promise.all(ids.map((id) => listed(viewer, id)));
      const [standing] = live.flatMap((stream) => stream?.streamId ?? []);
      expect(live.filter((stream) => stream !== undefined)).toHaveLength(1);
      for (const id of ids)
        expect(told(viewer, id)).toEqual(
          id === standing ? ['live:stream_started'] : ['live:stream_started', 'live:stream_ended'],
        );
      const [loser, loserId] = ids[0] === standing ? [two, ids[1] as string] : [one, ids[0] as string];
      expect(told(loser, loserId)).toContain('live:end');
    }
  });

  it('is told before its end, also when that comes before the server has noted all of it', async () => {
    const proxy = await DatabaseProxy.start(testApp.mongoUri);
    const slow = await startApp({ MONGODB_URI: proxy.uri });
    const [one, two, viewer] = await connectAll(slow.url, tara, tara, asha);
    const held = proxy.hold(command('update', 'openrooms'));
    const starting = start(one);
    const resume = await held;
    const startingToo = start(two);
    await until(() => startedBy(viewer, tara).length === 2);
    resume();
    const [{ streamId }, { streamId: standing }] = await Promise.all([starting, startingToo]);
    await settle(one, viewer);
    expect(told(viewer, streamId)).toEqual(['live:stream_started', 'live:stream_ended']);
    expect(told(one, streamId)).toEqual(['live:stream_started', 'live:end', 'live:stream_ended']);
    expect(await listed(viewer, standing)).toMatchObject({ isLive: true });
  });

  it('of many devices at once leaves one stream', async () => {
    const devices = await connectAll(url, tara, tara, tara, tara, tara, tara);
    await Promise.all(devices.map((device) => device.send('live:start', {})));
    await settle(...devices);
    const live = (
      await devices[0].ask<{ streams: { astrologerId: string }[] }>('live:active', { limit: 100 })
    ).streams;
    expect(live.filter(({ astrologerId }) => astrologerId === tara.id)).toHaveLength(1);
  });

  it('goes on when another process has ended the former stream without a word', async () => {
    const { host, streamId: former } = await broadcastAs(url, tara);
    await changeStream(testApp, former, { isLive: false, endedAt: new Date() });
    const { streamId } = await start(host);
    expect(await listed(host, streamId)).toMatchObject({ isLive: true });
  });

  it('is refused to everybody but astrologers, and nobody hears of it', async () => {
    const witness = await connectAs(url, mira);
    for (const person of [asha, user(tara.id), admin('root')]) {
      const client = await connectAs(url, person);
      expect(await refusal(client, 'live:start', { title: 'x' })).toEqual(refused('FORBIDDEN'));
      await settle(witness);
      expect(startedBy(witness, person)).toEqual([]);
    }
  });

  it('is refused with what is no text, or too long', async () => {
    const host = await connectAs(url, tara);
    const wrong: [object, string][] = [
      [{ title: 5 }, 'title'],
      [{ title: 'x'.repeat(201) }, 'title'],
      [{ title: { $gt: '' } }, 'title'],
      [{ description: [] }, 'description'],
      [{ description: 'x'.repeat(2001) }, 'description'],
      [{ category: true }, 'category'],
      [{ category: 'x'.repeat(101) }, 'category'],
      [{ tags: 'moon' }, 'tags'],
      [{ tags: [1] }, 'tags'],
      [{ tags: [null] }, 'tags'],
      [{ tags: ['x'.repeat(51)] }, 'tags'],
      [{ tags: Array.from({ length: 21 }, () => 'x') }, 'tags'],
    ];
    for (const [payload, field] of wrong) await expectBadField(host, 'live:start', payload, field);
    expect(startedBy(host, tara)).toEqual([]);
    const longest = {
      title: 'x'.repeat(200),
      description: 'x'.repeat(2000),
      category: 'x'.repeat(100),
      tags: Array.from({ length: 20 }, () => 'x'.repeat(50)),
    };
    await start(host, longest);
  });

  it('stores nothing and tells nobody when there is no Agora', async () => {
    const production = await startApp({
      NODE_ENV: 'production',
      ADMIN_SECRET_KEY: 'a-key-of-more-than-16-characters',
    });
    const host = await connectAs(production.url, tara);
    expect(await refusal(host, 'live:start', {})).toEqual(refused('AGORA_NOT_CONFIGURED'));
    await settle(host);
    expect(startedBy(host, tara)).toEqual([]);
    expect(await host.ask('live:active', {})).toEqual({ streams: [], nextCursor: null });
  });
});
