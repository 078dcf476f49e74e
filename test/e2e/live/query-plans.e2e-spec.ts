import { getConnectionToken } from '@nestjs/mongoose';
import { type Connection, mongo } from 'mongoose';
import type { LiveComment } from '../../../src/live/live-comment.schema.js';
import type { LiveStream } from '../../../src/live/live-stream.schema.js';
import type { LiveViewer } from '../../../src/live/live-viewer.schema.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import {
  breakOff,
  broadcastAs,
  countReaches,
  listed,
  start,
  watch,
  watchAs,
  withLiveTimes,
} from '../../support/live-stream.js';
import { withPresenceTimes } from '../../support/presence.js';
import { findingOf, findingsOf, isWasteful, type Query, recordQueries } from '../../support/query-plans.js';
import { astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const HOUR_MS = 3_600_000;
/** Streams of other people, as many that are live as over; and viewers and comments of each kind. */
const OTHERS = 300;

let node: TestApp;
let queries: Query[];

/** Past the application, so that the test's own queries are not among those that are recorded. */
const stored = <T extends object>(name: string): mongo.Collection<T> =>
  (node.app.get<Connection>(getConnectionToken()).db as mongo.Db).collection<T>(name);
const streams = () => stored<LiveStream>('livestreams');

beforeAll(async () => {
  const live = {
    lookIntervalMs: 100,
    ownerReturnMs: 500,
    endToldMs: 300,
    countIntervalMs: 50,
    lingerMs: 100,
  };
  node = await startApp({}, [], [withPresenceTimes({ offlineDelayMs: 100 }), withLiveTimes(live)]);
  await storeOthers();
  queries = recordQueries(node);
});

async function storeOthers(): Promise<void> {
  const later = new Date(Date.now() + HOUR_MS);
  const documents = Array.from({ length: OTHERS }, (_, i): LiveStream[] => [
    {
      _id: new mongo.ObjectId(),
      astrologerId: `other${i}`,
      onAir: `other${i}`,
      isLive: true,
      lastHeartbeat: later,
    },
    { _id: new mongo.ObjectId(), astrologerId: 'tara', isLive: false, endedAt: new Date() },
    {
      _id: new mongo.ObjectId(),
      astrologerId: `late${i}`,
      isLive: false,
      isEndNoted: true,
      endToldDue: later,
    },
  ]);
  await streams().insertMany(documents.flat());
  const streamId = new mongo.ObjectId().toHexString();
  await stored<LiveViewer>('liveviewers').insertMany(
    Array.from({ length: 2 * OTHERS }, (_, i) => ({
      _id: `${streamId} user:u${i}`,
      streamId,
      person: `user:u${i}`,
      firstSeenAt: new Date(),
      ...(i % 2 === 0 && { likes: true }),
      ...(i % 3 === 0 && { bannedAt: new Date() }),
    })),
  );
}

/** Those of the stream, so that what it shows is a part of what there is. */
async function storeComments(streamId: string): Promise<mongo.ObjectId[]> {
  const comments = Array.from({ length: OTHERS }, (_, i): LiveComment => ({
    _id: new mongo.ObjectId(),
    streamId,
    userId: `u${i}`,
    userType: 'user',
    userName: '',
    userAvatar: '',
    message: `comment ${i}`,
    timestamp: new Date(),
  }));
  await stored<LiveComment>('livecomments').insertMany(comments);
  return comments.map(({ _id }) => _id);
}

/** Every event of the life of a stream once, and what happens by itself. */
async function useEverything(): Promise<void> {
  const { host, streamId: former } = await broadcastAs(node.url, astrologer('tara'));
  const { streamId } = await start(host);
  const _id = new mongo.ObjectId(streamId);
  const [pinnedCommentId] = await storeComments(streamId);
  await streams().updateOne({ _id }, { $set: { pinnedCommentId } });
  const viewer = await watchAs(node.url, user('asha'), streamId);
  await watch(host, streamId, { isBroadcaster: true });
  await countReaches(1, streamId, host);
  await until(async () => (await listed(host, streamId))?.totalViews === 1);
  await viewer.ask('live:token', { streamId });
  await host.ask('live:heartbeat', { streamId });
  const { nextCursor } = await viewer.ask<{ nextCursor: string }>('live:active', { limit: 20 });
  await viewer.ask('live:active', { limit: 20, cursor: nextCursor });
  breakOff(viewer);
  await countReaches(0, streamId, host);
  const back = await connectAs(node.url, user('asha'));
  await countReaches(1, streamId, back);
  await host.ask('live:end', { streamId });

  // Ended by another process, told by another node, ended by itself.
  const next = await start(host);
  await watch(back, next.streamId);
  await streams().updateOne({ _id: new mongo.ObjectId(next.streamId) }, { $set: { isLive: false } });
  await back.waitFor('live:end', (end) => end.streamId === next.streamId);
  await streams().updateOne({ _id: new mongo.ObjectId(former) }, { $set: { endToldDue: new Date() } });
  await back.waitFor('live:stream_ended', (ended) => ended.streamId === former);
  await until(async () => (await streams().countDocuments({ endToldDue: { $lt: new Date() } })) === 0);
  const last = await start(host);
  breakOff(host);
  await back.waitFor('live:stream_ended', (ended) => ended.streamId === last.streamId);
  // Every look that nodes take by themselves: the others follow from what was waited for.
  await until(() => queries.some((query) => kindOf(query) === 'livegifts find due'));
}

/** Each different question that the application can ask of a collection. */
function kindOf({ collection, method, args }: Query): string {
  const [first] = args as [object];
  const filter = method === 'bulkWrite' ? {} : first;
  return `${collection} ${method} ${Object.keys(filter).toSorted().join(' ')}`.trim();
}

describe('queries of the life of streams', () => {
  it('run on an index and read no more than they return, among many streams that are live or over', async () => {
    await useEverything();
    const faults: unknown[] = [];
    const kinds = new Set<string>();
    for (const query of queries.splice(0).filter(({ collection }) => collection.startsWith('live'))) {
      for (const { command, finding } of await findingsOf(node, query)) {
        kinds.add(kindOf(query));
        const isSearch = finding.stages.includes('COLLSCAN') || finding.stages.includes('SORT');
        if (isSearch || isWasteful(finding)) faults.push({ command, finding });
      }
    }
    expect(faults).toEqual([]);
    expect([...kinds].toSorted()).toEqual([
      'livecomments find _id deletedAt streamId',
      'livecomments findOne _id deletedAt streamId',
      'livegifts find due',
      'livestreams find _id',
      'livestreams find _id astrologerId isLive',
      'livestreams find _id endToldDue',
      'livestreams find _id isLive',
      'livestreams findOne _id',
      'livestreams findOneAndUpdate _id',
      'livestreams findOneAndUpdate _id isEndNoted isLive',
      'livestreams findOneAndUpdate _id isLive',
      'livestreams findOneAndUpdate _id isLive lastHeartbeat',
      'livestreams updateOne _id',
      'livestreams updateOne _id endToldDue',
      'livestreams updateOne _id isLive',
      'livestreams updateOne _id likeTicketCounted',
      'liveviewers bulkWrite',
      'liveviewers countDocuments firstSeenAt streamId',
      'liveviewers countDocuments likes streamId',
      'liveviewers find _id',
      'liveviewers find bannedAt streamId',
    ]);
  });

  it('would be found out if they did not', async () => {
    const { stages } = await findingOf(node, { find: 'livestreams', filter: { title: 'Moon' } });
    expect(stages).toContain('COLLSCAN');
  });
});
