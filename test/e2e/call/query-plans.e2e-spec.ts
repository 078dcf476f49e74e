import { getConnectionToken } from '@nestjs/mongoose';
import { type Connection, mongo } from 'mongoose';
import type { Call } from '../../../src/call/call.schema.js';
import { CallTimes } from '../../../src/call/call-times.js';
import type { CallHistoryPayload, CallInitiatedPayload } from '../../../src/contract/call.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { withPresenceTimes } from '../../support/presence.js';
import { findingOf, findingsOf, isWasteful, type Query, recordQueries } from '../../support/query-plans.js';
import { astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const HOUR_MS = 3_600_000;
/** Of the two whose calls are looked at. */
const FINISHED = 1000;
/** Of other people: ringing, answered, and left by a former backend. */
const OTHERS = 300;
const toRavi = { recipientId: 'ravi', recipientType: 'astrologer', callType: 'voice' };
const toAsha = { recipientId: 'asha', recipientType: 'user', callType: 'voice' };

let node: TestApp;
let queries: Query[];

beforeAll(async () => {
  const callTimes = Object.assign(new CallTimes(), { lookIntervalMs: 100, partyReturnMs: 300 });
  node = await startApp(
    {},
    [],
    [withPresenceTimes({ offlineDelayMs: 100 }), { provide: CallTimes, useValue: callTimes }],
  );
  await storeOthers();
  queries = recordQueries(node);
});

/** Past the application, so that the test's own queries are not among those that are recorded. */
function stored(): mongo.Collection<Call> {
  return (node.app.get<Connection>(getConnectionToken()).db as mongo.Db).collection<Call>('calls');
}

function aCall(channelName: string, caller: string, callee: string, state: Partial<Call>): Call {
  const now = new Date();
  return {
    _id: new mongo.ObjectId(),
    callerId: caller,
    callerType: 'user',
    callerName: '',
    callerAvatar: '',
    recipientId: callee,
    recipientType: 'astrologer',
    callType: 'voice',
    channelName,
    status: 'ended',
    parties: [`user:${caller}`, `astrologer:${callee}`],
    startedAt: now,
    ringExpiresAt: now,
    ...state,
  };
}

async function storeOthers(): Promise<void> {
  const later = new Date(Date.now() + HOUR_MS);
  const endedAt = new Date(Date.now() - HOUR_MS);
  const documents = Array.from({ length: FINISHED }, (_, i) =>
    aCall(`finished${i}`, 'asha', 'ravi', { endedAt }),
  );
  for (let i = 0; i < OTHERS; i += 1) {
    const busy = (kind: string) => [`user:${kind}${i}`, `astrologer:${kind}${i}`];
    const due = { presenceDue: later, followUpDue: later };
    const open = (kind: string) => ({ open: busy(kind), occupied: busy(kind), ...due });
    documents.push(
      aCall(`r${i}`, `r${i}`, `r${i}`, { status: 'ringing', ...open('r'), ringDue: later }),
      aCall(`t${i}`, `t${i}`, `t${i}`, { status: 'connected', ...open('t'), tokenDue: later }),
    );
    const { parties: _parties, ...former } = aCall(`former${i}`, 'asha', 'ravi', {});
    documents.push(former as Call);
  }
  await stored().insertMany(documents);
}

const ring = (caller: TestClient): Promise<CallInitiatedPayload> => caller.ask('call:initiate', toRavi);

/** Its time has come, as far as the server can know. */
async function makeDue(callId: string, deadline: keyof Call): Promise<void> {
  await stored().updateOne({ _id: new mongo.ObjectId(callId) }, { $set: { [deadline]: new Date() } });
}

/** Every event of calls once, and what refuses them. */
async function useEvents(a: TestClient, r: TestClient): Promise<void> {
  const visitor = await connectAs(node.url, user('visitor'));
  const { callId } = await ring(a);
  expect(await r.send('call:initiate', toAsha)).toMatchObject({ error: { code: 'CONFLICT' } });
  expect(await visitor.send('call:initiate', toRavi)).toMatchObject({ error: { code: 'BUSY' } });
  await r.ask('call:accept', { callId });
  expect(await r.send('call:accept', { callId })).toMatchObject({ error: { code: 'CONFLICT' } });
  await a.ask('call:connected', { callId });
  await r.ask('call:token', { callId });
  await a.ask('call:state', {});
  await a.ask('call:state', { callId });
  const { nextCursor } = await a.ask<CallHistoryPayload>('call:history', { limit: 20 });
  await a.ask('call:history', { limit: 20, cursor: nextCursor });
  await r.ask('call:end', { callId });
  const second = await ring(a);
  await r.ask('call', { callId: second.callId, contactId: 'asha', reason: 'declined' });
  const third = await ring(a);
  await r.ask('call:reject', { callId: third.callId });
  const fourth = await a.ask<CallInitiatedPayload>('call:initiate', {
    ...toRavi,
    channelName: 'of-their-own',
  });
  await a.ask('call:end', { callId: fourth.callId });
}

/** What happens to calls by itself. */
async function letTimePass(a: TestClient, r: TestClient): Promise<void> {
  const missed = await ring(a);
  await connectAs(node.url, astrologer('ravi')).then((late) => late.waitFor('call:incoming'));
  await makeDue(missed.callId, 'ringDue');
  await a.waitFor('call:end', ({ callId, reason }) => callId === missed.callId && reason === 'missed');

  const { callId } = await ring(a);
  const isIt = (payload: { callId: string }): boolean => payload.callId === callId;
  await r.ask('call:accept', { callId });
  await makeDue(callId, 'tokenDue');
  await a.waitFor('call:token_expiring', isIt);
  await makeDue(callId, 'followUpDue');
  await until(() => a.all('call:accept').filter(isIt).length > 1);
  await makeDue(callId, 'presenceDue');
  const _id = new mongo.ObjectId(callId);
  await until(async () => (await stored().countDocuments({ _id, presenceDue: { $gt: new Date() } })) === 1);
  a.close();
  await r.waitFor('call:end', (payload) => isIt(payload) && payload.reason === 'network_error');
  await until(async () => (await stored().countDocuments({ _id, followUpDue: { $exists: true } })) === 0);
}

/** Each different question that the application can ask of the collection. */
function kindOf({ method, args }: Query, command: object): string {
  const { updates } = command as { updates?: [{ q: object }] };
  const filter = method === 'bulkWrite' && updates !== undefined ? updates[0].q : (args[0] as object);
  return `${method} ${Object.keys(filter).toSorted().join(' ')}`;
}

describe('queries of calls', () => {
  it('run on an index and read no more than they return, among many calls that are open or over', async () => {
    const [a, r] = await connectAll(node.url, user('asha'), astrologer('ravi'));
    await useEvents(a, r);
    await letTimePass(a, r);

    const faults: unknown[] = [];
    const kinds = new Set<string>();
    for (const query of queries.filter(({ collection }) => collection === 'calls')) {
      for (const { command, finding } of await findingsOf(node, query)) {
        kinds.add(kindOf(query, command));
        if (finding.stages.includes('COLLSCAN') || isWasteful(finding)) faults.push({ command, finding });
      }
    }
    expect(faults).toEqual([]);
    expect([...kinds].toSorted()).toEqual([
      'bulkWrite callerId callerType open status',
      'bulkWrite open status',
      'find $or',
      'find _id',
      'find _id parties',
      'find endedAt parties',
      'find occupied',
      'find open',
      'find parties',
      'findOne _id parties',
      'findOne channelName',
      'findOne open',
      'findOneAndUpdate _id presenceDue status',
      'findOneAndUpdate _id ringDue status',
      'findOneAndUpdate _id status',
      'findOneAndUpdate _id status tokenDue',
      'updateOne _id followUpDue',
      'updateOne _id followUpDue status',
      'updateOne _id presenceDue',
    ]);
  });

  it('for a channel’s name run on an index of streams, too', async () => {
    const [a, r] = await connectAll(node.url, user('asha'), astrologer('ravi'));
    const asked = queries.length;
    const { callId } = await a.ask<CallInitiatedPayload>('call:initiate', {
      ...toRavi,
      channelName: 'of-asha',
    });
    await r.ask('call:reject', { callId });
    const names = queries
      .slice(asked)
      .filter(({ collection, method }) => collection === 'livestreams' && method === 'findOne');
    expect(names.map(({ args: [filter] }) => filter)).toEqual([{ channelName: 'of-asha' }]);
    for (const query of names)
      for (const { finding } of await findingsOf(node, query)) expect(finding.stages).toContain('IXSCAN');
  });

  it('come in the order of an index, where there may be many', async () => {
    const parties = 'user:asha';
    const page = { find: 'calls', filter: { parties }, sort: { _id: -1 }, limit: 20 };
    const { stages, docs } = await findingOf(node, page);
    expect(stages).not.toContain('SORT');
    expect(docs).toBeLessThanOrEqual(21);
  });

  it('would be found out if they did not', async () => {
    const { stages } = await findingOf(node, { find: 'calls', filter: { status: 'ringing' } });
    expect(stages).toContain('COLLSCAN');
  });
});
