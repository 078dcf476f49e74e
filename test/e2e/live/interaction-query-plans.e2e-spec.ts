import { getConnectionToken } from '@nestjs/mongoose';
import { type Connection, type mongo, Types } from 'mongoose';
import { AppError } from '../../../src/contract/errors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { TestLedger } from '../../support/gift-ledger.js';
import { onAir, target } from '../../support/live.js';
import { about, withLiveTimes } from '../../support/live-stream.js';
import { findingOf, findingsOf, isWasteful, type Query, recordQueries } from '../../support/query-plans.js';
import { until } from '../../support/until.js';

const HOUR_MS = 3_600_000;
/** Of this stream, and of others. */
const MANY = 500;
/** What nodes ask when they look at the streams that are live: query-plans.e2e-spec.ts has it. Here it depends on the moment of the look. */
const STREAM_LOOKS = new Set(['find livestreams _id endToldDue', 'find livestreams _id isLive']);

const ledger = new TestLedger();
let node: TestApp;
let queries: Query[];

beforeAll(async () => {
  const times = { lookIntervalMs: 50, giftForgetMs: 100, countIntervalMs: 100 };
  node = await startApp({}, [], [withLiveTimes(times), ledger.asReplacement()]);
  queries = recordQueries(node);
});

/** Past the application, so that the test's own queries are not among those that are recorded. */
function stored<T extends mongo.BSON.Document>(collection: string): mongo.Collection<T> {
  return (node.app.get<Connection>(getConnectionToken()).db as mongo.Db).collection<T>(collection);
}

/** What others said, gave and liked: gifts that are under way and such that are finished, too. */
async function storeMany(streamIds: string[]): Promise<void> {
  for (const streamId of streamIds) {
    const ids = Array.from({ length: MANY }, (_, i) => i);
    const common = { streamId, timestamp: new Date() };
    await stored('livecomments').insertMany(
      ids.map((i) => ({ ...common, userId: `u${i}`, userType: 'user', message: `${i}` })),
    );
    await stored('livegifts').insertMany(
      ids.map((i) => {
        const state = i % 2 === 0 ? { due: new Date(Date.now() + HOUR_MS) } : { finishedAt: new Date() };
        return Object.assign(state, common, { sender: `user:u${i}`, clientGiftId: `g${i}` });
      }),
    );
    await stored<{ _id: string }>('liveviewers').insertMany(
      ids.map((i) => ({ _id: `${streamId} user:u${i}`, streamId, person: `user:u${i}` })),
    );
  }
}

function kindOf({ collection, method, args }: Query): string {
  const [first] = args as [object | { updateOne?: { filter: object } }[]];
  const filter = Array.isArray(first) ? (first[0]?.updateOne?.filter ?? {}) : first;
  return `${method} ${collection} ${Object.keys(filter).toSorted().join(' ')}`;
}

describe('queries of what viewers do', () => {
  it('run on an index and read no more than they return, among much that others did', async () => {
    const { streamId, host, a, v, asha } = await onAir(node.url);
    const seen = { _id: new Types.ObjectId(streamId), totalViews: 2 };
    await until(async () => (await stored('livestreams').countDocuments(seen)) === 1);
    await storeMany([streamId, new Types.ObjectId().toHexString()]);
    for (let i = 0; i < 4; i += 1) await a.send('live:comment', { streamId, message: 'hello' });
    const { nextCursor } = await v.ask<{ nextCursor: string }>('live:comments', { streamId });
    await v.ask('live:comments', { streamId, cursor: nextCursor });
    const gift = { streamId, giftType: 'rose', giftValue: 1, clientGiftId: 'g' };
    const { id } = await a.ask<{ id: string }>('live:gift', gift);
    await a.ask('live:gift', gift);
    await until(
      async () =>
        (await stored('livegifts').countDocuments({
          _id: new Types.ObjectId(id),
          due: { $exists: false },
        })) === 1,
    );
    await stored('livegifts').updateOne(
      { _id: new Types.ObjectId(id) },
      { $set: { due: new Date() }, $unset: { finishedAt: 1 } },
    );
    await v.waitForCount('live:gift', 2);
    ledger.answer = () => {
      throw new AppError('CONFLICT', 'Your balance is too low.');
    };
    await a.send('live:gift', { ...gift, clientGiftId: 'refused' });
    await a.ask('live:like', { streamId });
    await until(() => about(v, 'live:like_count', streamId).some(({ count }) => count === 1));
    await a.ask('live:unlike', { streamId });
    await host.ask('live:pin', { streamId, commentId: id });
    await host.ask('live:delete_comment', { streamId, commentId: id });
    for (const event of ['live:mute', 'live:ban', 'live:unban'])
      await host.ask(event, { streamId, ...target(asha) });

    const faults: unknown[] = [];
    const kinds = new Set<string>();
    const asked = queries.filter(
      (query) => query.collection.startsWith('live') && !STREAM_LOOKS.has(kindOf(query)),
    );
    for (const query of asked)
      for (const { command, finding } of await findingsOf(node, query)) {
        kinds.add(kindOf(query));
        if (finding.stages.includes('COLLSCAN') || isWasteful(finding)) faults.push({ command, finding });
      }
    expect(faults).toEqual([]);
    expect([...kinds].toSorted()).toEqual([
      'bulkWrite liveviewers _id firstSeenAt',
      'countDocuments liveviewers likes streamId',
      'deleteOne livegifts _id due finishedAt',
      'find livecomments _id deletedAt streamId',
      'find livegifts due',
      'find livestreams _id',
      'find livestreams _id astrologerId isLive',
      'find liveviewers _id',
      'find liveviewers bannedAt streamId',
      'findOne livecomments _id deletedAt streamId',
      'findOne livegifts clientGiftId sender streamId',
      'findOne livestreams _id',
      'findOneAndUpdate livestreams _id',
      'findOneAndUpdate liveviewers _id',
      'updateMany livegifts _id',
      'updateOne livecomments _id deletedAt streamId',
      'updateOne livegifts _id',
      'updateOne livegifts _id due finishedAt',
      'updateOne livestreams _id',
      'updateOne livestreams _id giftsCounted',
      'updateOne livestreams _id isLive',
      'updateOne livestreams _id likeTicketCounted',
      'updateOne livestreams _id pinnedCommentId',
    ]);
  });

  it('would be found out if they did not', async () => {
    const { stages } = await findingOf(node, { find: 'livegifts', filter: { giftType: 'rose' } });
    expect(stages).toContain('COLLSCAN');
  });
});
