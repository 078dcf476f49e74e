import type { LiveCommentPayload } from '../../../src/contract/live.js';
import type { LiveViewer } from '../../../src/live/live-viewer.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { refusal } from '../../support/direct-chat.js';
import { devicesOf, expectInsideOnly, expectNeedsStream, onAir, target } from '../../support/live.js';
import { about, settle, storedStream, watch, watchAs, withLiveTimes } from '../../support/live-stream.js';
import { expectBadField, refused } from '../../support/refusals.js';
import { admin } from '../../support/token.js';
import { until } from '../../support/until.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

const comment = (client: TestClient, streamId: string, message = 'hello') =>
  client.ask<LiveCommentPayload>('live:comment', { streamId, message });

const TOO_FAST = {
  ok: false,
  error: { code: 'RATE_LIMITED', retryable: true, details: { retryAfterMs: expect.any(Number) as number } },
};

describe('live:comment', () => {
  it('is stored and shown once to everybody in the stream, on all devices, and to nobody else', async () => {
    const { streamId, host, a, v, outsider, asha } = await onAir(url);
    const second = await watchAs(url, asha, streamId);
    const shown = await comment(a, streamId, 'Namaste');
    expect(shown).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      _id: shown.id,
      streamId,
      userId: asha.id,
      userType: 'user',
      userName: `Name of ${asha.id}`,
      userAvatar: '',
      message: 'Namaste',
      timestamp: expect.any(Number) as number,
      isGift: false,
    });
    await settle(host, a, second, v, outsider);
    for (const client of [host, a, second, v]) expect(client.all('live:comment')).toEqual([shown]);
    expect(outsider.all('live:comment')).toEqual([]);
    expect((await watch(outsider, streamId)).comments).toEqual([shown]);
  });

  it.each([
    ['markup', '<b>hi</b> & "co"', '<b>hi</b> & "co"'],
    ['spaces at its ends', '  hi  ', '  hi  '],
    ['control characters, which go', 'a\u0000b\nc\td\u007Fe\u0085f', 'abcdef'],
    ['200 emoji', '😀'.repeat(200), '😀'.repeat(200)],
    ['200 characters beside control characters', `${'x'.repeat(200)}\n`, 'x'.repeat(200)],
    ['a query', '{"$ne":null}', '{"$ne":null}'],
  ])('keeps its text as it was typed: %s', async (_, typed, kept) => {
    const { streamId, a, v } = await onAir(url);
    expect((await comment(a, streamId, typed)).message).toBe(kept);
    expect((await v.waitFor('live:comment')).message).toBe(kept);
    expect((await watch(v, streamId)).comments[0]?.message).toBe(kept);
  });

  it('of one socket come to everybody in the order in which they were sent', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const sent = Array.from({ length: 40 }, (_, i) => `comment ${i}`);
    await Promise.all(sent.map((message) => comment(host, streamId, message)));
    await settle(a, v);
    for (const client of [host, a, v])
      expect(client.all('live:comment').map(({ message }) => message)).toEqual(sent);
    const stored = (await watch(v, streamId)).comments.map(({ message }) => message);
    expect(stored).toEqual(sent);
  });

  it('of several people at once come to everybody once, in one order', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const staff = await watchAs(url, admin('root'), streamId);
    const writers = [host, staff];
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => comment(writers[i % 2] as TestClient, streamId, `${i}`)),
    );
    await settle(host, staff, a, v);
    const order = a.all('live:comment').map(({ id }) => id);
    expect(new Set(order).size).toBe(60);
    for (const client of [host, staff, v])
      expect(client.all('live:comment').map(({ id }) => id)).toEqual(order);
  });

  it('costs two database commands, one when slow mode does not hold, and one when it is refused', async () => {
    const database = await DatabaseProxy.start(testApp.mongoUri);
    // Nothing is looked at or counted meanwhile.
    const rare = { lookIntervalMs: 600_000, countIntervalMs: 600_000 };
    const node = await startApp({ MONGODB_URI: database.uri }, [], [withLiveTimes(rare)]);
    const { streamId, host, a, v, veer } = await onAir(node.url);
    await until(async () => (await storedStream(node, streamId)).totalViews === 2);
    const commandsOf = async (writer: TestClient): Promise<string[]> => {
      const before = database.commands.length;
      await writer.send('live:comment', { streamId, message: 'hello' });
      return database.commands
        .slice(before)
        .filter(({ collection }) => collection.startsWith('live'))
        .map(({ name, collection }) => `${name} ${collection}`);
    };
    const slowMode = 'findAndModify liveviewers';
    for (let i = 0; i < 3; i += 1) expect(await commandsOf(a)).toEqual([slowMode, 'insert livecomments']);
    expect(await commandsOf(host)).toEqual(['insert livecomments']);
    expect(await commandsOf(a)).toEqual([slowMode]);
    await host.ask('live:mute', { streamId, ...target(veer) });
    expect(await commandsOf(v)).toEqual([slowMode]);
  });

  it('is refused with a text that is none, empty, blank or too long', async () => {
    const { streamId, a } = await onAir(url);
    const wrong = [
      undefined,
      null,
      '',
      '   ',
      '\n\t',
      7,
      { $ne: null },
      'x'.repeat(201),
      '😀'.repeat(201),
      '\uD83D',
    ];
    for (const message of wrong) await expectBadField(a, 'live:comment', { streamId, message }, 'message');
    expect((await watch(a, streamId)).comments).toEqual([]);
  });

  it('needs a stream', async () => {
    const { a } = await onAir(url);
    await expectNeedsStream(a, 'live:comment', { message: 'hi' });
  });

  it('is for those who are in the stream', () => expectInsideOnly(url, 'live:comment', { message: 'hi' }));

  it('is refused to who was muted, on every device, until that is over', async () => {
    const { streamId, host, a, v, asha } = await onAir(url);
    await host.ask('live:mute', { streamId, ...target(asha) });
    const again = await watchAs(url, asha, streamId);
    for (const device of [a, again])
      expect(await refusal(device, 'live:comment', { streamId, message: 'hi' })).toEqual(
        refused('FORBIDDEN'),
      );
    await comment(v, streamId);
    await host.ask('live:unban', { streamId, ...target(asha) });
    const { id } = await comment(a, streamId);
    await settle(v);
    expect(about(v, 'live:comment', streamId)).toHaveLength(2);
    expect(about(v, 'live:comment', streamId)[1]?.id).toBe(id);
  });
});

describe('Slow mode', () => {
  it('takes 3 comments in 10 s, and says when the next one may come', async () => {
    const { streamId, a, v } = await onAir(url);
    for (let i = 0; i < 3; i += 1) await comment(a, streamId);
    const answer = await a.send('live:comment', { streamId, message: 'too much' });
    expect(answer).toMatchObject(TOO_FAST);
    const { retryAfterMs } = (answer as unknown as { error: { details: { retryAfterMs: number } } }).error
      .details;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(10_000);
    a.tell('live:comment', { streamId, message: 'too much' });
    expect(await a.waitFor('error')).toMatchObject({ event: 'live:comment', code: 'RATE_LIMITED' });
    await comment(v, streamId, 'others may');
    await settle(v);
    expect(v.all('live:comment').map(({ message }) => message)).toEqual([
      'hello',
      'hello',
      'hello',
      'others may',
    ]);
  });

  it('is not reset by a new connection, by another device, or by joining again', async () => {
    const { streamId, a, asha } = await onAir(url);
    for (let i = 0; i < 3; i += 1) await comment(a, streamId);
    await a.ask('live:leave', { streamId });
    await watch(a, streamId);
    const device = await watchAs(url, asha, streamId);
    a.close();
    const reconnected = await watchAs(url, asha, streamId);
    for (const client of [device, reconnected])
      expect(await client.send('live:comment', { streamId, message: 'more' })).toMatchObject(TOO_FAST);
  });

  it('of 20 at once on four devices lets exactly 3 through', async () => {
    const { streamId, v, asha } = await onAir(url);
    const devices = await devicesOf(url, asha, streamId, 4);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (devices[i % 4] as TestClient).send('live:comment', { streamId, message: `${i}` }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
    for (const answer of answers.filter(({ ok }) => !ok)) expect(answer).toMatchObject(TOO_FAST);
    await settle(v);
    expect(v.all('live:comment')).toHaveLength(3);
  });

  it('goes by the clock of the database, since those of the nodes may differ', async () => {
    const database = await DatabaseProxy.start(testApp.mongoUri);
    const node = await startApp({ MONGODB_URI: database.uri });
    const { streamId, a, asha } = await onAir(node.url);
    const held = database.hold(command('findAndModify', 'liveviewers', 'commentedAt'));
    const answer = comment(a, streamId);
    const release = await held;
    const asked = Date.now();
    await until(() => Date.now() > asked + 20);
    release();
    await answer;
    const viewers = collectionOf<LiveViewer>(testApp, 'liveviewers');
    const { commentedAt = [] } = (await viewers.findOne({ _id: `${streamId} user:${asha.id}` })) ?? {};
    expect(Number(commentedAt[0])).toBeGreaterThan(asked + 20);
  });

  it('ends when the third newest comment is 10 s old', async () => {
    const { streamId, a, asha } = await onAir(url);
    for (let i = 0; i < 3; i += 1) await comment(a, streamId);
    const viewers = collectionOf<LiveViewer>(testApp, 'liveviewers');
    const mine = { _id: `${streamId} user:${asha.id}` };
    const { commentedAt = [] } = (await viewers.findOne(mine)) ?? {};
    expect(commentedAt).toHaveLength(3);
    await viewers.updateOne(mine, {
      $set: { 'commentedAt.2': new Date((commentedAt[2] as Date).getTime() - 10_000) },
    });
    await comment(a, streamId);
    expect(await a.send('live:comment', { streamId, message: 'more' })).toMatchObject(TOO_FAST);
  });

  it('is about one stream', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    for (let i = 0; i < 3; i += 1) await comment(one.a, one.streamId);
    await watch(one.a, other.streamId);
    await comment(one.a, other.streamId);
    expect(await one.a.send('live:comment', { streamId: one.streamId, message: 'more' })).toMatchObject(
      TOO_FAST,
    );
  });

  it('is not for the broadcaster and admins', async () => {
    const { streamId, host, v } = await onAir(url);
    const staff = await watchAs(url, admin('root'), streamId);
    for (const writer of [host, staff]) for (let i = 0; i < 5; i += 1) await comment(writer, streamId);
    await settle(v);
    expect(v.all('live:comment').map(({ userType }) => userType)).toEqual([
      ...Array.from({ length: 5 }, () => 'astrologer'),
      ...Array.from({ length: 5 }, () => 'admin'),
    ]);
  });
});

it('An admin comments as the one admin, under their own name', async () => {
  const { streamId } = await onAir(url);
  const staff = await connectAs(url, { ...admin('root'), name: 'Root' });
  await watch(staff, streamId);
  expect(await comment(staff, streamId)).toMatchObject({
    userId: 'admin',
    userType: 'admin',
    userName: 'Root',
  });
});
