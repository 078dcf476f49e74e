import type { FieldFault } from '../../../src/contract/errors.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import type { RealtimeServer } from '../../../src/realtime/socket.types.js';
import { startApp, type TestApp } from '../../support/app.js';
import { AGORA } from '../../support/calls.js';
import { connectAll, connectAs, connectRefused, type TestClient } from '../../support/client.js';
import { ROWS, type Row } from '../../support/every-event/rows.js';
import { asha, mallory, makeThings, ravi, SECRET, type Things } from '../../support/every-event/things.js';
import { countAcks, storedOfOthers } from '../../support/every-event/watch.js';
import { documentedFields, handledEventsOf, sentSections } from '../../support/handled-events.js';
import { until } from '../../support/until.js';

/** Fits into a frame of 64 KiB. */
const LONG_TEXT = 'x'.repeat(60_000);
const TOO_LONG_TEXT = 'x'.repeat(1_000_000);
const NO_PAYLOADS = [null, 5, true, 'text', ['a'], [{ $ne: null }]];
/** No field of any event takes one of these. */
const NO_VALUES: unknown[] = [
  { $ne: null },
  { $gt: '' },
  [{ $ne: null }],
  JSON.parse('{ "__proto__": { "polluted": true } }'),
  LONG_TEXT,
];

const CALM_MS = 2000;

/** For each check: what is wrong, with the event's name; empty when all is well. */
type Faults = unknown[];

let server: TestApp;
let things: Things;
let fieldsOf: Map<string, string[]>;

beforeAll(async () => {
  server = await startApp(AGORA);
  fieldsOf = new Map(handledEventsOf(server).map(({ name, fields }) => [name, fields]));
  things = await makeThings(server);
});

const events = (): [string, Row, Record<string, unknown>][] =>
  Object.entries(ROWS).map(([event, row]) => [event, row, row.payload(things)]);

const faultyFields = (details: unknown): string[] =>
  ((details ?? []) as FieldFault[]).map(({ field }) => field);

const answerOf = async (client: TestClient, event: string, payload: unknown): Promise<string> => {
  const ack = await client.send(event, payload);
  return ack.ok ? 'ok' : ack.error.code;
};

/** Counts of the stream are told in the server's own time, too: of asha, who watches, and of nobody who likes it. */
const KNOWN_COUNTS: Record<string, number> = { 'live:viewer_count': 1, 'live:like_count': 0 };

/** So are comings and goings, of asha and ravi. */
const COMINGS = new Set([
  'live:viewer_joined',
  'live:viewer_left',
  'chat:online',
  'astrologer:status_changed',
]);

const isNews = ({ event, args }: TestClient['received'][number]): boolean => {
  if (COMINGS.has(event)) return JSON.stringify(args).includes(mallory.id);
  return (args[0] as { count?: number } | undefined)?.count !== (KNOWN_COUNTS[event] ?? null);
};

/** What the two have been sent so far; whatever was on its way has arrived. */
async function heardBy(...clients: TestClient[]): Promise<number[]> {
  await Promise.all(clients.map((client) => client.ask('get_stats', {})));
  return clients.map(({ received }) => received.filter(isNews).length);
}

/** Nothing is written any more that the making of the things has left to be written: nodes do that within a second. */
async function calm(): Promise<string> {
  let stored = '';
  let since = performance.now();
  await until(async () => {
    const before = stored;
    stored = await storedOfOthers(server);
    if (stored !== before) since = performance.now();
    return performance.now() - since > CALM_MS;
  });
  return stored;
}

it('the table has every event of the application, and no other', () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(
    handledEventsOf(server)
      .map(({ name }) => name)
      .toSorted(),
  );
});

it('every event is documented, with the fields of its payload', () => {
  const sections = sentSections();
  for (const [event, fields] of fieldsOf)
    expect([event, documentedFields(sections.get(event) ?? '').toSorted()]).toEqual([
      event,
      fields.toSorted(),
    ]);
});

it('for an outsider every event is refused, or harmless', async () => {
  const [a, r, m] = await connectAll(server.url, asha, ravi, mallory);
  const faults: Faults = [];
  let stored = await calm();
  for (const [event, { outsider }, payload] of events()) {
    const heard = await heardBy(a, r);
    const ack = await m.send(event, payload);
    const answer = ack.ok ? 'harmless' : ack.error.code;
    if (answer !== outsider) faults.push([event, answer, 'instead of', outsider]);
    if (JSON.stringify(ack).includes(SECRET)) faults.push([event, 'tells what is not theirs']);
    if (JSON.stringify(await heardBy(a, r)) !== JSON.stringify(heard))
      faults.push([event, 'was heard by others', a.received.findLast(isNews), r.received.findLast(isNews)]);
    const now = await storedOfOthers(server);
    if (now !== stored) faults.push([event, 'changed what is not theirs']);
    stored = now;
  }
  expect(faults).toEqual([]);
  expect(JSON.stringify(m.received)).not.toContain(SECRET);
  // It would have been seen.
  await r.ask('chat:rename', { conversationId: things.roomId, title: `${SECRET}!` });
  expect(await storedOfOthers(server)).not.toBe(stored);
});

it('without an identity there is no connection, and on one that has lost it every event is refused', async () => {
  expect((await connectRefused(server.url)).data?.code).toBe('UNAUTHENTICATED');
  const ghost = await connectAs(server.url, mallory);
  const { server: io } = server.app.get<{ server: RealtimeServer }>(EmitterService, { strict: false });
  const { data } = io.sockets.sockets.get(ghost.socket.id ?? '') ?? {};
  const { user } = data as { user?: object };
  Object.assign(data as object, { user: undefined });
  const faults: Faults = [];
  for (const [event, , payload] of events()) {
    const answer = await answerOf(ghost, event, payload);
    if (answer !== 'UNAUTHENTICATED') faults.push([event, answer]);
  }
  Object.assign(data as object, { user });
  expect(faults).toEqual([]);
});

it('what is no payload is BAD_REQUEST', async () => {
  const m = await connectAs(server.url, mallory);
  const faults: Faults = [];
  for (const [event] of events()) {
    // Whoever takes no fields looks at no payload.
    if (fieldsOf.get(event)?.length === 0) continue;
    for (const payload of NO_PAYLOADS) {
      const ack = await m.send(event, payload);
      if (ack.ok || ack.error.code !== 'BAD_REQUEST' || faultyFields(ack.error.details)[0] !== '')
        faults.push([event, payload, ack]);
    }
  }
  expect(faults).toEqual([]);
});

it('in each field what is no value of it is BAD_REQUEST, and says which field', async () => {
  const m = await connectAs(server.url, mallory);
  const faults: Faults = [];
  for (const [event, , payload] of events()) {
    for (const field of fieldsOf.get(event) ?? []) {
      for (const value of NO_VALUES) {
        const ack = await m.send(event, { ...payload, [field]: value });
        const named = ack.ok ? [] : faultyFields(ack.error.details);
        if (ack.ok || ack.error.code !== 'BAD_REQUEST' || !named.some((name) => name.startsWith(field)))
          faults.push([event, field, JSON.stringify(value).slice(0, 60), ack]);
      }
    }
  }
  expect(faults).toEqual([]);
});

it('fields of `__proto__` are no fields, and nothing is polluted by them', async () => {
  const m = await connectAs(server.url, mallory);
  const faults: Faults = [];
  for (const [event, , payload] of events()) {
    const inherited = JSON.parse(`{ "__proto__": ${JSON.stringify({ ...payload, polluted: 1 })} }`) as object;
    const [given, none] = [await m.send(event, inherited), await m.send(event, {})];
    if (!given.ok && JSON.stringify(given) !== JSON.stringify(none)) faults.push([event, given, none]);
    if (given.ok !== none.ok) faults.push([event, given, none]);
  }
  expect(faults).toEqual([]);
  expect({}).not.toHaveProperty('polluted');
});

it('every event is acknowledged exactly once, refused or not; without a callback its failure is told once', async () => {
  const m = await connectAs(server.url, mallory);
  const counts = countAcks(m);
  const faults: Faults = [];
  let asked = 0;
  for (const [event, , payload] of events()) {
    for (const sent of [payload, {}, 5]) {
      await m.send(event, sent);
      asked += 1;
    }
    const before = m.all('error').length;
    m.tell(event, 5);
    await m.ask('get_stats', {});
    asked += 1;
    const told = m.all('error').slice(before);
    const wanted = fieldsOf.get(event)?.length === 0 ? [] : [event];
    if (JSON.stringify(told.map((error) => error.event)) !== JSON.stringify(wanted))
      faults.push([event, told]);
  }
  expect(faults).toEqual([]);
  expect(counts.size).toBe(asked);
  expect(new Set(counts.values())).toEqual(new Set([1]));
});

it('a text of a megabyte ends the connection that sent it, and nothing else', async () => {
  const r = await connectAs(server.url, ravi);
  const faults: Faults = [];
  for (const [event, , payload] of events()) {
    const m = await connectAs(server.url, mallory);
    const [field = 'text'] = fieldsOf.get(event) ?? [];
    const ended = new Promise((resolve) => m.socket.once('disconnect', resolve));
    let isAnswered = false;
    m.socket.emit(event, { ...payload, [field]: TOO_LONG_TEXT }, () => (isAnswered = true));
    await ended;
    if (isAnswered) faults.push([event, 'was answered']);
  }
  expect(faults).toEqual([]);
  expect(await r.ask('get_stats', {})).toEqual({});
});
