import type { DirectHistoryPayload, DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { connectAs } from '../../support/client.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
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
