import { createConnection } from 'node:net';
import type { DirectHistoryPayload, DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs } from '../../support/client.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { astrologer, user } from '../../support/token.js';

const SOCKETS = 100;

describe('SIGTERM with 100 connected sockets', () => {
  it('exits within 5 s with nothing acknowledged lost', async () => {
    const dataDir = await temporaryFolder();
    const server = await startServer(dataDir);
    const clients = await Promise.all(
      Array.from({ length: SOCKETS }, (_, i) => connectAs(server.address, user(`u${i}`))),
    );
    const acked: DirectMessagePayload[] = [];
    const talking = clients.map(async (client) => {
      while (client.socket.connected) {
        const payload = { recipientId: 'ravi', recipientType: 'astrologer', content: 'hello' };
        const answer = await client
          .send<DirectMessagePayload>('dm:send_message', payload)
          .catch(() => undefined);
        if (answer?.ok) acked.push(answer.data);
      }
    });
    await Promise.all(clients.map((client) => client.waitFor('dm:message_received')));

    const start = Date.now();
    expect(await server.stop('SIGTERM')).toBe(0);
    expect(Date.now() - start).toBeLessThan(5000);
    await Promise.all(talking);

    const again = await startServer(dataDir);
    const reader = await connectAs(again.address, astrologer('ravi'));
    const stored = new Map<string, DirectMessagePayload>();
    for (let i = 0; i < SOCKETS; i += 1) {
      let afterSeq = 0;
      for (let hasMore = true; hasMore;) {
        const page = await reader.ask<DirectHistoryPayload>('dm:history', {
          conversationId: `user_u${i}_ravi`,
          afterSeq,
          limit: 100,
        });
        for (const message of page.messages) stored.set(message.id, message);
        ({ hasMore } = page);
        afterSeq = page.messages.at(-1)?.seq ?? 0;
      }
    }
    expect(acked.length).toBeGreaterThanOrEqual(SOCKETS);
    for (const message of acked) expect(stored.get(message.id)).toEqual(message);
    await again.stop();
  });
});

describe('SIGTERM', () => {
  it('answers what is under way and refuses what comes after', async () => {
    const dataDir = await temporaryFolder();
    const mongo = await startMongo(dataDir);
    const server = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const [client, witness] = [
      await connectAs(server.address, user('u1')),
      await connectAs(server.address, user('u2')),
    ];
    const hello = { recipientId: 'ravi', recipientType: 'astrologer', content: 'hello' };
    await client.ask('dm:send_message', hello);

    // With the database stopped the message is surely still under way when the signal comes.
    mongo.child.kill('SIGSTOP');
    const underWay = client.send<DirectMessagePayload>('dm:send_message', hello);
    // A later event of the same connection is answered, so the message has been taken up.
    await client.ask('dm:leave_conversation', { conversationId: 'x' });
    const ended = server.stop('SIGTERM');
    const refusedAt = async (): Promise<string | undefined> => {
      const answer = await witness.send('dm:leave_conversation', { conversationId: 'x' });
      return answer.ok ? refusedAt() : answer.error.code;
    };
    expect(await refusedAt()).toBe('UNAVAILABLE');
    witness.tell('dm:leave_conversation', { conversationId: 'x' });
    expect(await witness.waitFor('error')).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    mongo.child.kill('SIGCONT');
    expect(await underWay).toMatchObject({ ok: true, data: { seq: 2 } });
    expect(await ended).toBe(0);
    await mongo.stop();
  });

  it('closes in order although a request never ends and the database hangs', async () => {
    const dataDir = await temporaryFolder();
    const mongo = await startMongo(dataDir);
    const server = await startServer(dataDir, { MONGODB_URI: mongo.address });
    await connectAs(server.address, user('u1'));
    const halfOpen = createConnection(Number(new URL(server.address).port), '127.0.0.1');
    closeAfterTest(() => halfOpen.destroy());
    halfOpen.on('error', () => undefined);
    await new Promise<void>((resolve) =>
      halfOpen.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc', () => resolve()),
    );
    mongo.child.kill('SIGSTOP');
    const start = Date.now();
    expect(await server.stop('SIGTERM')).toBe(0);
    expect(Date.now() - start).toBeLessThan(5000);
    mongo.child.kill('SIGCONT');
    await mongo.stop();
  });
});
