import { Types } from 'mongoose';
import { AppError } from '../../../src/contract/errors.js';
import type { LiveGiftPayload } from '../../../src/contract/live.js';
import { GiftLedger, NoGiftLedger } from '../../../src/live/gift-ledger.js';
import type { LiveGift } from '../../../src/live/live-gift.schema.js';
import type { LiveStream } from '../../../src/live/live-stream.schema.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import type { TestClient } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import { TestLedger } from '../../support/gift-ledger.js';
import { onAir } from '../../support/live.js';
import {
  settle,
  storedStream,
  storeStream,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import type { Person } from '../../support/token.js';
import { until } from '../../support/until.js';

const ROSE = { giftType: 'rose', giftValue: 50 };
const POOR = new AppError('CONFLICT', 'Your balance is too low.', { state: 'low_balance' });
/** What a node left is found soon. */
const SHORT = { lookIntervalMs: 30, giftLeaseMs: 2000, giftForgetMs: 200 };

let ledger: TestLedger;
let testApp: TestApp;
let url: string;
beforeAll(async () => {
  ledger = new TestLedger();
  testApp = await startApp({}, [], [withLiveTimes(SHORT), ledger.asReplacement()]);
  ({ url } = testApp);
});
beforeEach(() => {
  ledger.answer = () => undefined;
});

const give = (client: TestClient, streamId: string, clientGiftId?: string) =>
  client.ask<LiveGiftPayload>('live:gift', { streamId, ...ROSE, clientGiftId });
const gifts = () => collectionOf<LiveGift>(testApp, 'livegifts');
const chargesOf = (streamId: string) => ledger.charged.filter((gift) => gift.streamId === streamId);

async function expectTotals(streamId: string, giftCount: number): Promise<void> {
  const { giftCount: count = 0, giftValue = 0 } = await storedStream(testApp, streamId);
  expect([count, giftValue]).toEqual([giftCount, giftCount * 50]);
}

/** A gift as a node stores it before it does anything else about it; others may finish it. */
function leftGift(streamId: string, sender: Person, host: Person, fields: Partial<LiveGift> = {}): LiveGift {
  return {
    _id: new Types.ObjectId(),
    streamId,
    astrologerId: host.id,
    sender: `${sender.type}:${sender.id}`,
    senderId: sender.id,
    senderType: sender.type,
    senderName: 'Asha',
    senderAvatar: '',
    ...ROSE,
    timestamp: new Date(),
    due: new Date(),
    ...fields,
  };
}

describe('A gift ledger', () => {
  it('takes every gift when there is none of one’s own', async () => {
    const { app } = await startApp();
    expect(app.get(GiftLedger as never)).toBeInstanceOf(NoGiftLedger);
  });

  it('is asked once for each gift, before anybody sees it', async () => {
    const { streamId, a, v, asha, tara } = await onAir(url);
    let seen: unknown[] = [];
    ledger.answer = async () => {
      await settle(v);
      seen = [...v.all('live:gift'), ...v.all('live:comment')];
    };
    const { id } = await give(a, streamId, 'g1');
    await give(a, streamId, 'g1');
    expect(seen).toEqual([]);
    expect(chargesOf(streamId)).toEqual([
      {
        id,
        streamId,
        sender: { id: asha.id, type: 'user' },
        recipient: { id: tara.id, type: 'astrologer' },
        ...ROSE,
      },
    ]);
  });

  it('refuses a gift before it is shown: the sender gets its error, and nothing is left', async () => {
    const { streamId, a, v } = await onAir(url);
    ledger.answer = () => {
      throw POOR;
    };
    expect(await refusal(a, 'live:gift', { streamId, ...ROSE })).toEqual(POOR.toBody());
    expect(await gifts().countDocuments({ streamId })).toBe(0);
    await expectTotals(streamId, 0);
    await settle(v);
    expect([...v.all('live:gift'), ...v.all('live:comment')]).toEqual([]);
    expect((await watch(v, streamId)).comments).toEqual([]);
  });

  it('that refused is asked anew when the gift is sent again with its clientGiftId', async () => {
    const { streamId, a, v } = await onAir(url);
    ledger.answer = () => {
      throw POOR;
    };
    const attempts = Array.from({ length: 5 }, () =>
      a.send('live:gift', { streamId, ...ROSE, clientGiftId: 'g' }),
    );
    for (const answer of await Promise.all(attempts))
      expect(answer).toMatchObject({ ok: false, error: { code: 'CONFLICT' } });
    ledger.answer = () => undefined;
    const gift = await give(a, streamId, 'g');
    expect(await v.waitFor('live:gift')).toEqual(gift);
    await expectTotals(streamId, 1);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('no connection'))],
    ['does not answer', () => new Promise<void>(() => undefined)],
  ])('that %s is asked again until it says something; the gift is shown then, once', async (_, trouble) => {
    const { streamId, a, v } = await onAir(url);
    ledger.answer = trouble;
    expect(await a.send('live:gift', { streamId, ...ROSE, clientGiftId: 'g' })).toMatchObject({
      ok: false,
      error: { code: 'UNAVAILABLE', retryable: true },
    });
    await until(() => chargesOf(streamId).length >= 2);
    await settle(v);
    expect(v.all('live:gift')).toEqual([]);
    ledger.answer = () => undefined;
    const gift = await v.waitFor('live:gift');
    expect(new Set(chargesOf(streamId).map(({ id }) => id))).toEqual(new Set([gift.id]));
    await until(async () => (await gifts().countDocuments({ streamId, due: { $exists: false } })) === 1);
    expect(await give(a, streamId, 'g')).toEqual(gift);
    await settle(v);
    expect([v.all('live:gift').length, v.all('live:comment').length]).toEqual([1, 1]);
    await expectTotals(streamId, 1);
  });

  it('that refuses when another node has the gift by now takes nothing away from that one', async () => {
    const { streamId, a, v } = await onAir(url);
    ledger.answer = async ({ id }) => {
      ledger.answer = () => undefined;
      const claimed = { due: new Date(Date.now() + SHORT.giftLeaseMs + 100) };
      await gifts().updateOne({ _id: new Types.ObjectId(id) }, { $set: claimed });
      throw POOR;
    };
    expect(await a.send('live:gift', { streamId, ...ROSE, clientGiftId: 'g' })).toMatchObject({
      ok: false,
      error: { code: 'UNAVAILABLE', retryable: true },
    });
    expect(await v.waitFor('live:gift')).toEqual(await give(a, streamId, 'g'));
    await expectTotals(streamId, 1);
  });

  it('that refuses what a dead node left takes it away in silence', async () => {
    const { streamId, v, asha, tara } = await onAir(url);
    ledger.answer = () => {
      throw POOR;
    };
    await gifts().insertOne(leftGift(streamId, asha, tara));
    await until(async () => (await gifts().countDocuments({ streamId })) === 0);
    await settle(v);
    expect(v.all('live:gift')).toEqual([]);
    await expectTotals(streamId, 0);
  });
});

describe('A gift that a node left when it died', () => {
  const STEPS = ['after it was stored', 'after it was counted', 'after its comment was stored'];

  it.each(STEPS)('%s is paid, counted and shown once by another one', async (step) => {
    const { streamId, host, v, asha, tara } = await onAir(url);
    const gift = leftGift(streamId, asha, tara);
    const steps = STEPS.indexOf(step);
    if (steps >= 1)
      await collectionOf<LiveStream>(testApp, 'livestreams').updateOne(
        { _id: new Types.ObjectId(streamId) },
        { $set: { giftCount: 1, giftValue: 50, giftsCounted: [gift._id] } },
      );
    if (steps >= 2)
      await collectionOf(testApp, 'livecomments').insertOne({
        _id: gift._id,
        streamId,
        userId: asha.id,
        userType: 'user',
        userName: 'Asha',
        userAvatar: '',
        message: 'Sent a gift: rose',
        timestamp: gift.timestamp,
        isGift: true,
        ...ROSE,
      });
    await gifts().insertOne(gift);
    const id = gift._id.toHexString();
    for (const client of [host, v])
      expect(await client.waitFor('live:gift')).toMatchObject({ id, senderId: asha.id, ...ROSE });
    await until(async () => (await gifts().countDocuments({ streamId, due: { $exists: false } })) === 1);
    await expectTotals(streamId, 1);
    expect((await storedStream(testApp, streamId)).giftsCounted).toEqual([]);
    expect(chargesOf(streamId).map((charged) => charged.id)).toEqual([id]);
    await settle(v);
    expect([v.all('live:gift').length, v.all('live:comment').length]).toEqual([1, 1]);
    expect((await watch(v, streamId)).comments.map((shown) => shown.id)).toEqual([id]);
  });

  it('is finished at once when its sender repeats it, and not before another node may', async () => {
    const { streamId, a, v, asha, tara } = await onAir(url);
    const left = leftGift(streamId, asha, tara, { clientGiftId: 'g', due: new Date(Date.now() + 1000) });
    await gifts().insertOne(left);
    const [gift] = await Promise.all([give(a, streamId, 'g'), give(a, streamId, 'g')]);
    expect(gift.id).toBe(left._id.toHexString());
    expect(Date.now()).toBeGreaterThanOrEqual((left.due as Date).getTime());
    await settle(v);
    expect(v.all('live:gift')).toEqual([gift]);
    await expectTotals(streamId, 1);
  });

  it('is finished when its sender repeats it after the end of the stream', async () => {
    const { streamId, host, a, asha, tara } = await onAir(url);
    await host.ask('live:end', { streamId });
    const left = leftGift(streamId, asha, tara, { clientGiftId: 'g', due: new Date(Date.now() + 500) });
    await gifts().insertOne(left);
    expect((await give(a, streamId, 'g')).id).toBe(left._id.toHexString());
    await expectTotals(streamId, 1);
    expect(chargesOf(streamId).map(({ id }) => id)).toEqual([left._id.toHexString()]);
  });

  it('is finished by one of several nodes, and by none twice', async () => {
    // On a database of their own, with the usual lease: however slow this machine is, none runs out.
    const replaced = [withLiveTimes({ ...SHORT, giftLeaseMs: 10_000 }), ledger.asReplacement()];
    const node = await startApp({}, [], replaced);
    const other = await startApp({ MONGODB_URI: node.mongoUri }, [], replaced);
    const { streamId, v, asha, tara, mira } = await onAir(node.url);
    const far = await watchAs(other.url, mira, streamId);
    const left = Array.from({ length: 60 }, () => leftGift(streamId, asha, tara));
    const stored = collectionOf<LiveGift>(node, 'livegifts');
    await stored.insertMany(left);
    await until(async () => (await stored.countDocuments({ streamId, due: { $exists: false } })) === 60);
    expect(await storedStream(node, streamId)).toMatchObject({ giftCount: 60, giftValue: 3000 });
    expect(chargesOf(streamId)).toHaveLength(60);
    await settle(v, far);
    // Without Redis each node shows to its own.
    const shown = [...v.all('live:gift'), ...far.all('live:gift')].map(({ id }) => id);
    expect(shown).toHaveLength(60);
    expect(new Set(shown).size).toBe(60);
  });

  it('is finished also while nothing can be done about another one', async () => {
    const { streamId, asha, tara } = await onAir(url);
    const bad = await storeStream(testApp, { astrologerId: tara.id, isLive: false, giftsCounted: 'none' });
    const due = new Date(Date.now() - 60_000);
    const stuck = [
      leftGift(bad, asha, tara, { due, finishedAt: due }),
      leftGift('of no stream', asha, tara, { due, finishedAt: due }),
      leftGift(bad, asha, tara, { due }),
    ];
    const left = Array.from({ length: 50 }, () => leftGift(streamId, asha, tara));
    await gifts().insertMany([...stuck, ...left]);
    await until(async () => (await gifts().countDocuments({ streamId, due: { $exists: false } })) === 50);
    await expectTotals(streamId, 50);
    const ids = stuck.map(({ _id }) => _id);
    expect(await gifts().countDocuments({ _id: { $in: ids }, due: { $exists: true } })).toBe(3);
    await gifts().deleteMany({ _id: { $in: ids } });
  });

  it('is in the totals also when the stream has ended meanwhile', async () => {
    const { streamId, host, asha, tara } = await onAir(url);
    await host.ask('live:end', { streamId });
    await gifts().insertOne(leftGift(streamId, asha, tara));
    await until(async () => (await gifts().countDocuments({ streamId, due: { $exists: false } })) === 1);
    await expectTotals(streamId, 1);
  });
});
