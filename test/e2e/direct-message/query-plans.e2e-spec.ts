import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { answers, FcmServer } from '../../support/fcm-server.js';
import { isOnline, withNodeTimes, withPresenceTimes } from '../../support/presence.js';
import { findingOf, findingsOf, isWasteful, type Query, recordQueries } from '../../support/query-plans.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

/** `nodes` has one document for each running node: there is nothing to index. `calls` has a test of its own. */
const NOT_HERE = new Set(['nodes', 'calls']);
const MESSAGES = 1200;

const conversationId = 'user_asha_ravi';
let node: TestApp;
let url: string;
let mongoUri: string;
let fcm: FcmServer;
const short = [
  withPresenceTimes({ offlineDelayMs: 100 }),
  withNodeTimes({ beatIntervalMs: 300, silenceMs: 20_000 }),
];
let queries: Query[];

beforeAll(async () => {
  fcm = await FcmServer.start();
  node = await startApp({ FCM_URL: fcm.url }, [], short);
  ({ url, mongoUri } = node);
  queries = recordQueries(node);
});

const say = (from: TestClient, fields: object = {}) =>
  sendTo(from, astrologer('ravi'), { content: 'text', ...fields });

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
  queries.length = 0;

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
  await a.ask('dm:history', { conversationId: 'user_asha_nobody' });
  await boss.ask('get_stats', {});
  for (const client of [a, r, boss]) client.close();
}

/** Comings and goings, with rooms that are open, and pushes that are not taken; then a node that goes and leaves all of it behind. */
async function comeAndGo(): Promise<void> {
  const awayFrom = ({ id }: Person): Promise<void> =>
    until(async () => {
      const watcher = await connectAs(url, user('watcher'));
      return (await isOnline(watcher, astrologer(id))) === false;
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
    queries.some(({ collection, method }) => collection === 'pushretries' && /delete/.test(method)),
  );

  const other = await startApp({ MONGODB_URI: mongoUri, FCM_URL: fcm.url }, [], short);
  const guest = await connectAs(other.url, user('guest-of-the-lost'));
  await say(guest);
  await guest.ask('dm:join_conversation', { conversationId: 'user_guest-of-the-lost_ravi' });
  await other.app.close();
  const isFindOnNode = ({ collection, method, args }: Query): boolean =>
    collection === 'presence' && method === 'find' && 'nodes' in (args[0] as object);
  await until(() => queries.some(isFindOnNode));
}

describe('queries of direct messages', () => {
  it('run on an index, and read no more than they return, in a long conversation too', async () => {
    await useEverything();
    await comeAndGo();
    const faults: unknown[] = [];
    const seen = new Set<string>();
    for (const query of queries.splice(0)) {
      if (NOT_HERE.has(query.collection)) continue;
      for (const { command, finding } of await findingsOf(node, query)) {
        seen.add(`${query.collection}.${query.method}`);
        const isScan = finding.stages.includes('COLLSCAN') || finding.stages.includes('SORT');
        if (isScan || isWasteful(finding)) faults.push({ command, finding });
      }
    }
    expect(faults).toEqual([]);
    expect([...seen].toSorted()).toEqual(
      expect.arrayContaining([
        'directmessages.find',
        'directmessages.findOne',
        'directconversations.find',
        'directconversations.findOne',
        'directconversations.findOneAndUpdate',
        'directconversations.bulkWrite',
        'directmarks.find',
        'directmarks.findOneAndUpdate',
        'blocks.find',
        'directmessages.findOneAndUpdate',
        'openrooms.bulkWrite',
        'presence.find',
        'presence.updateMany',
        'openrooms.updateMany',
        'pushdevices.find',
        'pushretries.find',
      ]),
    );
  });

  it('would be found out if they did not', async () => {
    const { stages } = await findingOf(node, { find: 'directmessages', filter: { content: 'text' } });
    expect(stages).toContain('COLLSCAN');
  });
});
