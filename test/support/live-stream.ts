import { Types } from 'mongoose';
import type {
  LiveActivePayload,
  LiveSnapshotPayload,
  LiveStreamPayload,
  LiveTokenPayload,
} from '../../src/contract/live.js';
import type { ServerEvents } from '../../src/contract/server-events.js';
import type { LiveStream } from '../../src/live/live-stream.schema.js';
import { LiveTimes } from '../../src/live/live-times.js';
import { type LiveViewer, viewerId } from '../../src/live/live-viewer.schema.js';
import { collectionOf, type Replacement, type TestApp } from './app.js';
import { connectAs, type TestClient } from './client.js';
import { withNodeTimes, withPresenceTimes } from './presence.js';
import { astrologer, type Person, user } from './token.js';

type Node = Pick<TestApp, 'app'>;

export const withLiveTimes = (times: Partial<LiveTimes>): Replacement => ({
  provide: LiveTimes,
  useValue: Object.assign(new LiveTimes(), times),
});

let casts = 0;

/** Fresh people of a stream: who broadcasts, two who watch, and one who only is connected. */
export function newCast() {
  casts += 1;
  const [tara, asha, veer, mira] = [
    astrologer(`tara${casts}`),
    user(`asha${casts}`),
    user(`veer${casts}`),
    user(`mira${casts}`),
  ];
  return { tara, asha, veer, mira };
}

export function start(broadcaster: TestClient, fields: object = {}): Promise<LiveTokenPayload> {
  return broadcaster.ask('live:start', fields);
}

export function watch(client: TestClient, streamId: string, fields?: object): Promise<LiveSnapshotPayload> {
  return client.ask('live:join', { streamId, ...fields });
}

/** Connects somebody who watches the stream. */
export async function watchAs(url: string, person: Person, streamId: string): Promise<TestClient> {
  const client = await connectAs(url, person);
  await watch(client, streamId);
  return client;
}

/** Connects an astrologer who broadcasts. */
export async function broadcastAs(url: string, person: Person, fields?: object) {
  const host = await connectAs(url, person);
  return { host, ...(await start(host, fields)) };
}

/** The connection ends and nobody says goodbye. */
export function breakOff(client: TestClient): void {
  client.socket.io.engine.close();
}

/** Whatever their node has sent to these clients has arrived. */
export async function settle(...clients: TestClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.ask('get_stats', {})));
}

/** What came under this name about a stream. */
export function about<E extends keyof ServerEvents>(client: TestClient, event: E, streamId: string) {
  return client.all(event).filter((payload) => (payload as { streamId?: string }).streamId === streamId);
}

/** What a client was told of a stream, in order; counts aside, which come when it is time. */
export function told(client: TestClient, streamId: string): string[] {
  return client.received
    .filter(({ args: [payload] }) => (payload as { streamId?: string } | undefined)?.streamId === streamId)
    .map(({ event }) => event)
    .filter((event) => event.startsWith('live:') && !event.endsWith('_count') && !event.includes('viewer'));
}

/** Until the newest count that the clients were told of is this one. */
export async function countReaches(count: number, streamId: string, ...clients: TestClient[]): Promise<void> {
  for (const client of clients)
    await client.waitFor(
      'live:viewer_count',
      (payload) => payload.count === count && payload === about(client, 'live:viewer_count', streamId).at(-1),
    );
}

/** The stream as `live:active` lists it; undefined when it is not live. */
export async function listed(client: TestClient, streamId: string): Promise<LiveStreamPayload | undefined> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: LiveActivePayload = await client.ask('live:active', {
      limit: 100,
      ...(cursor && { cursor }),
    });
    const found = page.streams.find((stream) => stream.streamId === streamId);
    if (found !== undefined) return found;
    cursor = page.nextCursor;
  }
  return undefined;
}

export const streamsOf = (node: Node) => collectionOf<LiveStream>(node, 'livestreams');

export async function storedStream(node: Node, streamId: string): Promise<LiveStream> {
  const stream = await streamsOf(node).findOne({ _id: new Types.ObjectId(streamId) });
  if (stream === null) throw new Error('there is no such stream');
  return stream;
}

/** Writes into a stream's document, as another process would. */
export async function changeStream(node: Node, streamId: string, fields: Partial<LiveStream>): Promise<void> {
  await streamsOf(node).updateOne({ _id: new Types.ObjectId(streamId) }, { $set: fields });
}

/** Inserts a stream with no more than the fields that another process writes; returns its id. */
export async function storeStream(node: Node, fields: object): Promise<string> {
  const _id = new Types.ObjectId();
  await collectionOf(node, 'livestreams').insertOne({ _id, isLive: true, ...fields });
  return _id.toHexString();
}

export async function ban(node: Node, streamId: string, person: Person): Promise<void> {
  await collectionOf<LiveViewer>(node, 'liveviewers').updateOne(
    { _id: viewerId(new Types.ObjectId(streamId), person) },
    { $set: { bannedAt: new Date() }, $setOnInsert: { streamId, person: `${person.type}:${person.id}` } },
    { upsert: true },
  );
}

/** What is refused because the stream has ended. */
export const ENDED = {
  code: 'CONFLICT',
  message: expect.any(String) as string,
  retryable: false,
  details: { state: 'ended' },
};

/** In the world of `inBrief`. */
export const OWNER_RETURN_MS = 1000;

/** Longer than any test. */
export const LATER_MS = 3_600_000;

/** A node for which a second is a minute, so that streams end by themselves while a test waits. */
export const inBrief = (times: Partial<LiveTimes> = {}): Replacement[] => [
  withPresenceTimes({ offlineDelayMs: 100 }),
  withNodeTimes({ beatIntervalMs: 100, silenceMs: 1000 }),
  withLiveTimes({
    ownerReturnMs: OWNER_RETURN_MS,
    lookIntervalMs: 50,
    endToldMs: 300,
    countIntervalMs: 50,
    lingerMs: 100,
    ...times,
  }),
];

/** Until the client is told that the stream has ended. */
export const endsAt = (client: TestClient, streamId: string) =>
  client.waitFor('live:stream_ended', (ended) => ended.streamId === streamId);

/** A stream whose broadcaster goes for good: when it has ended, the time of all that went before is over, too. */
export async function letTimePass(url: string, witness: TestClient): Promise<void> {
  casts += 1;
  const { host, streamId } = await broadcastAs(url, astrologer(`brief${casts}`));
  breakOff(host);
  await endsAt(witness, streamId);
}
