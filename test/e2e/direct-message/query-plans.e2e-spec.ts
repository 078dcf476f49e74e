import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection, mongo } from 'mongoose';
import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { answers, FcmServer } from '../../support/fcm-server.js';
import { withNodeTimes, withPresenceTimes } from '../../support/presence.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

/** One document for each running node: there is nothing to index. */
const SMALL_COLLECTIONS = new Set(['nodes']);
const MESSAGES = 1200;

interface Call {
  collection: string;
  method: string;
  args: unknown[];
}

interface Plan {
  stage: string;
  inputStage?: Plan;
  inputStages?: Plan[];
}

interface Explained {
  queryPlanner: { winningPlan: Plan };
  executionStats?: { totalDocsExamined: number; totalKeysExamined: number; nReturned: number };
}

const conversationId = 'user_asha_ravi';
let connection: Connection;
let url: string;
let mongoUri: string;
let fcm: FcmServer;
const short = [
  withPresenceTimes({ offlineDelayMs: 100 }),
  withNodeTimes({ beatIntervalMs: 300, silenceMs: 20_000 }),
];
const calls: Call[] = [];

beforeAll(async () => {
  fcm = await FcmServer.start();
  const started = await startApp({ FCM_URL: fcm.url }, [], short);
  ({ url, mongoUri } = started);
  connection = started.app.get<Connection>(getConnectionToken());
  connection.set('debug', (collection: string, method: string, ...args: unknown[]) => {
    calls.push({ collection, method, args });
  });
});

const say = (from: TestClient, fields: object = {}) =>
  from.ask<DirectMessagePayload>('dm:send_message', {
    recipientId: 'ravi',
    recipientType: 'astrologer',
    content: 'text',
    ...fields,
  });

/** The command that asks for the plan of a call; undefined for a call that has none, or that has an `_id` alone. */
function commandsOf({ collection, method, args }: Call): Record<string, unknown>[] {
  const [first, second, third] = args as Record<string, unknown>[];
  switch (method) {
    case 'find':
      return [{ find: collection, filter: first, ...pick(second) }];
    case 'findOne':
      return [{ find: collection, filter: first, ...pick(second), limit: 1 }];
    case 'updateOne':
    case 'updateMany':
      return [{ update: collection, updates: [{ q: first, u: second }] }];
    case 'deleteOne':
    case 'deleteMany':
      return [{ delete: collection, deletes: [{ q: first, limit: 0 }] }];
    case 'findOneAndUpdate':
      return [{ findAndModify: collection, query: first, update: second, ...pick(third) }];
    case 'findOneAndDelete':
      return [{ findAndModify: collection, query: first, remove: true, ...pick(second) }];
    case 'aggregate':
      return [{ aggregate: collection, pipeline: first, cursor: {} }];
    case 'bulkWrite':
      return (first as unknown as { updateOne: { filter: object; update: object } }[]).map(
        ({ updateOne }) => ({
          update: collection,
          updates: [{ q: updateOne.filter, u: updateOne.update }],
        }),
      );
    case 'countDocuments':
      return [{ count: collection, query: first }];
    default:
      return [];
  }
}

function pick({ sort, limit, skip }: Record<string, unknown> = {}): object {
  return {
    ...(sort !== undefined && { sort }),
    ...(limit !== undefined && { limit }),
    ...(skip !== undefined && { skip }),
  };
}

function stagesOf(plan: Plan): string[] {
  const below = [plan.inputStage, ...(plan.inputStages ?? [])].filter((input) => input !== undefined);
  return [plan.stage, ...below.flatMap(stagesOf)];
}

async function explain(command: Record<string, unknown>): Promise<Explained> {
  return (await (connection.db as mongo.Db).command({
    explain: command,
    verbosity: 'executionStats',
  })) as Explained;
}

/** Every event of direct messages once, in a conversation that is long, by people who have others besides. */
async function useEverything(): Promise<void> {
  const [a, r, boss] = [
    await connectAs(url, user('asha')),
    await connectAs(url, astrologer('ravi')),
    await connectAs(url, admin()),
  ];
  for (let sent = 0; sent < MESSAGES; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => say(a)));
  for (let visitor = 0; visitor < 30; visitor += 1)
    await say(await connectAs(url, user(`visitor${visitor}`)));
  calls.length = 0;

  const message = await say(a, { clientMessageId: 'c1' });
  await say(a, { clientMessageId: 'c1' });
  const id = message.id;
  await say(a, { replyToId: id });
  await a.ask('dm:join_conversation', { conversationId });
  await a.ask('dm:typing_start', { conversationId });
  await a.ask('dm:typing_stop', { conversationId });
  for (const window of [{}, { page: 3 }, { beforeSeq: 600 }, { afterSeq: 600 }]) {
    await r.ask('dm:history', { conversationId, limit: 50, ...window });
  }
  await r.ask('dm:mark_delivered', { conversationId, upToSeq: 10 });
  await r.ask('dm:mark_read', { conversationId, messageIds: [id] });
  await r.ask('dm:mark_read', { conversationId, upToSeq: 20 });
  const page = await r.ask<{ nextCursor: string }>('dm:conversations', { limit: 5 });
  await r.ask('dm:conversations', { limit: 5, cursor: page.nextCursor });
  await r.ask('dm:conversations', { limit: 5, updatedAfter: '2020-01-01T00:00:00Z' });
  const changes = await r.ask<{ nextCursor: string }>('dm:conversations', {
    limit: 5,
    updatedAfter: '2020-01-01T00:00:00Z',
  });
  await r.ask('dm:conversations', {
    limit: 5,
    updatedAfter: '2020-01-01T00:00:00Z',
    cursor: changes.nextCursor,
  });
  await a.ask('dm:open', { recipientId: 'ravi', recipientType: 'astrologer' });
  await a.ask('dm:block', { userId: 'ravi', userType: 'astrologer' });
  await a.ask('dm:blocks', {});
  await a.ask('dm:unblock', { userId: 'ravi', userType: 'astrologer' });
  await r.ask('dm:react', { messageId: id, emoji: '🙏' });
  await r.ask('dm:unreact', { messageId: id, emoji: '🙏' });
  await a.ask('dm:edit_message', { messageId: id, content: 'other text' });
  await r.ask('dm:report', { messageId: id, reason: 'spam' });
  await a.ask('dm:delete_message', { messageId: id });
  await a.ask('dm:leave_conversation', { conversationId });
  await a.ask('push:register', { token: 'a-token', platform: 'android' });
  await a.ask('push:unregister', { token: 'a-token' });
  await a.ask('presence:get', { users: [{ id: 'ravi', type: 'astrologer' }] });
  await boss.ask('dm:history', { conversationId });
  await boss.ask('get_stats', {});
  for (const client of [a, r, boss]) client.close();
}

/** Comings and goings, with rooms that are open, and pushes that are not taken; then a node that goes and leaves all of it behind. */
async function comeAndGo(): Promise<void> {
  const awayFrom = ({ id }: Person): Promise<void> =>
    until(async () => {
      const watcher = await connectAs(url, user('watcher'));
      const users = [{ id, type: 'astrologer' }];
      const found = await watcher.ask<{ users: { isOnline: boolean }[] }>('presence:get', { users });
      return found.users[0]?.isOnline === false;
    });
  const a = await connectAs(url, user('asha'));
  await a.ask('dm:join_conversation', { conversationId });
  a.close();
  // Its rooms come back.
  await connectAs(url, user('asha'));

  const phone = await connectAs(url, astrologer('ravi'));
  await phone.ask('push:register', { token: 'phone', platform: 'android' });
  phone.close();
  await awayFrom(astrologer('ravi'));
  fcm.plan('phone', answers.internal, answers.success);
  await say(await connectAs(url, user('asha')));
  await fcm.waitFor('phone', 2);
  await until(() =>
    calls.some(({ collection, method }) => collection === 'pushretries' && /delete/.test(method)),
  );

  const other = await startApp({ MONGODB_URI: mongoUri, FCM_URL: fcm.url }, [], short);
  const guest = await connectAs(other.url, user('guest-of-the-lost'));
  await say(guest);
  await guest.ask('dm:join_conversation', { conversationId: 'user_guest-of-the-lost_ravi' });
  await other.app.close();
  const isFindOnNode = ({ collection, method, args }: Call): boolean =>
    collection === 'presence' && method === 'find' && 'nodes' in (args[0] as object);
  await until(() => calls.some(isFindOnNode));
}

describe('queries of direct messages', () => {
  it('run on an index, and read no more than they return, in a long conversation too', async () => {
    await useEverything();
    await comeAndGo();
    const faults: unknown[] = [];
    const seen = new Set<string>();
    for (const call of calls.splice(0)) {
      if (SMALL_COLLECTIONS.has(call.collection)) continue;
      for (const command of commandsOf(call)) {
        seen.add(`${call.collection}.${call.method}`);
        const { queryPlanner, executionStats } = await explain(command);
        const stages = stagesOf(queryPlanner.winningPlan);
        const isScan = stages.includes('COLLSCAN') || stages.includes('SORT');
        const { totalDocsExamined = 0, totalKeysExamined = 0, nReturned = 0 } = executionStats ?? {};
        // A message more for each end of a range, and one for each branch.
        const isWasteful = Math.max(totalDocsExamined, totalKeysExamined) > 2 * nReturned + 20;
        if (isScan || isWasteful) faults.push({ command, stages, executionStats });
      }
    }
    expect(faults).toEqual([]);
    expect([...seen].toSorted()).toEqual(
      expect.arrayContaining([
        'directmessages.find',
        'directmessages.findOne',
        'directconversations.find',
        'directconversations.findOne',
        'directconversations.updateOne',
        'directconversations.bulkWrite',
        'directmarks.find',
        'directmarks.findOneAndUpdate',
        'blocks.find',
        'directmessages.findOneAndUpdate',
        'openrooms.updateOne',
        'presence.find',
        'presence.updateMany',
        'openrooms.updateMany',
        'pushdevices.find',
        'pushretries.find',
      ]),
    );
  });

  it('would be found out if they did not', async () => {
    const { queryPlanner } = await explain({ find: 'directmessages', filter: { content: 'text' } });
    expect(stagesOf(queryPlanner.winningPlan)).toContain('COLLSCAN');
  });
});
