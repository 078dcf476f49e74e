import type { DirectHistoryPayload, DirectMessagePayload } from '../../../src/contract/direct-message.js';
import mongoose from 'mongoose';
import { connectAs, type TestClient } from '../../support/client.js';
import { startMongo, startServer, temporaryFolder, type RunningProcess } from '../../support/processes.js';
import { astrologer, user } from '../../support/token.js';

const LIMIT_MS = 5000;
const hello = { recipientId: 'ravi', recipientType: 'astrologer', content: 'hello' };

/** Repeats until it holds; each try waits for an answer of the server, so this is no busy loop. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) if (Date.now() > end) throw new Error('it never came true');
}

async function expectUnavailable(client: TestClient, event: string, payload: object): Promise<void> {
  const start = Date.now();
  expect(await client.send(event, payload)).toMatchObject({
    ok: false,
    error: { code: 'UNAVAILABLE', retryable: true },
  });
  expect(Date.now() - start).toBeLessThan(LIMIT_MS);
}

/** Ready answers at once or after its own time limit; in between, another connection is tried. */
const isReady = (server: RunningProcess) => async () => (await fetch(`${server.address}/health/ready`)).ok;

describe('the database goes away while the server runs', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    '%s: UNAVAILABLE within 5 s, and service again when it is back, without a restart',
    async (signal) => {
      const dir = await temporaryFolder();
      let mongo = await startMongo(dir);
      const port = Number(new URL(mongo.address.replace('mongodb:', 'http:')).port);
      const server = await startServer(dir, { MONGODB_URI: mongo.address });
      const [asha, ravi] = [
        await connectAs(server.address, user('asha')),
        await connectAs(server.address, astrologer('ravi')),
      ];
      const before = await asha.ask<DirectMessagePayload>('dm:send_message', {
        ...hello,
        clientMessageId: 'before',
      });

      if (signal === 'SIGKILL') await mongo.stop('SIGKILL');
      else mongo.child.kill('SIGSTOP');
      await expectUnavailable(asha, 'dm:send_message', { ...hello, clientMessageId: 'during' });
      await expectUnavailable(ravi, 'dm:history', { conversationId: before.conversationId });
      const health = await fetch(`${server.address}/health/ready`);
      expect([health.status, ((await health.json()) as { error: object }).error]).toEqual([
        503,
        { database: { status: 'down', code: 'UNAVAILABLE' } },
      ]);
      expect((await fetch(`${server.address}/health/live`)).status).toBe(200);

      if (signal === 'SIGKILL') mongo = await startMongo(dir, port);
      else mongo.child.kill('SIGCONT');
      await until(isReady(server));
      await until(
        async () => (await asha.send('dm:send_message', { ...hello, clientMessageId: 'during' })).ok,
      );
      const { messages } = await ravi.ask<DirectHistoryPayload>('dm:history', {
        conversationId: before.conversationId,
      });
      expect(messages.map(({ seq, clientMessageId }) => [seq, clientMessageId])).toEqual([
        [1, 'before'],
        [2, 'during'],
      ]);
      await ravi.waitFor('dm:message_received', ({ clientMessageId }) => clientMessageId === 'during');
      expect(ravi.all('dm:message_received').map(({ clientMessageId }) => clientMessageId)).toEqual([
        'before',
        'during',
      ]);
      expect(await server.stop()).toBe(0);
      await mongo.stop();
    },
  );
});

describe('the database comes back between two messages of one socket', () => {
  it('a message that could not be stored takes the next one with it, and sent again they are in their order', async () => {
    const dir = await temporaryFolder();
    let mongo = await startMongo(dir);
    const port = Number(new URL(mongo.address.replace('mongodb:', 'http:')).port);
    const server = await startServer(dir, { MONGODB_URI: mongo.address });
    const asha = await connectAs(server.address, user('asha'));
    const { id, conversationId } = await asha.ask<DirectMessagePayload>('dm:send_message', hello);

    await mongo.stop('SIGKILL');
    // The first asks the database for what it replies to; the second waits for its turn behind it.
    const payloads = [
      { ...hello, replyToId: id, clientMessageId: 'first' },
      { ...hello, clientMessageId: 'second' },
    ];
    const [first, second] = payloads.map((payload) => asha.send('dm:send_message', payload));
    expect(await first).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
    mongo = await startMongo(dir, port);
    expect(await second).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });

    await until(isReady(server));
    for (const payload of payloads) await until(async () => (await asha.send('dm:send_message', payload)).ok);
    const { messages } = await asha.ask<DirectHistoryPayload>('dm:history', { conversationId });
    expect(messages.map(({ clientMessageId }) => clientMessageId)).toEqual([null, 'first', 'second']);
    expect(await server.stop()).toBe(0);
    await mongo.stop();
  });
});

describe('the database comes back with less than it had', () => {
  it('a node goes on from what is there, without a gap', async () => {
    const dir = await temporaryFolder();
    const first = await startMongo(dir);
    const port = Number(new URL(first.address.replace('mongodb:', 'http:')).port);
    const server = await startServer(dir, { MONGODB_URI: first.address });
    const asha = await connectAs(server.address, user('asha'));
    for (let i = 0; i < 3; i += 1) await asha.ask('dm:send_message', hello);

    await first.stop('SIGKILL');
    const second = await startMongo(dir, port);
    const driver = new mongoose.mongo.MongoClient(second.address);
    await driver
      .db('samvad')
      .collection('directmessages')
      .deleteMany({ seq: { $gte: 2 } });
    await driver.db('samvad').collection('directconversations').deleteMany({});
    await driver.close();

    await until(isReady(server));
    await until(async () => (await asha.send('dm:send_message', { ...hello, clientMessageId: 'after' })).ok);
    const { messages } = await asha.ask<DirectHistoryPayload>('dm:history', {
      conversationId: 'user_asha_ravi',
    });
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2]);
    await server.stop();
    await second.stop();
  });
});
