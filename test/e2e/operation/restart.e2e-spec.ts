import type { DirectHistoryPayload, DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
import { astrologer, user } from '../../support/token.js';

const asha = user('asha');
const ravi = astrologer('ravi');
const KILLS = 3;
const ACKED_BEFORE_KILL = 40;

/** Sends one message after another until the connection breaks; keeps what was acknowledged. */
async function chatter(
  client: TestClient,
  recipient: typeof ravi,
  acked: DirectMessagePayload[],
  label: string,
): Promise<void> {
  for (let i = 0; client.socket.connected; i += 1) {
    const payload = {
      recipientId: recipient.id,
      recipientType: recipient.type,
      content: `${label}${i}`,
      clientMessageId: `${label}${i}`,
    };
    const answer = await client.send<DirectMessagePayload>('dm:send_message', payload).catch(() => undefined);
    if (answer?.ok) acked.push(answer.data);
  }
}

async function wholeHistory(client: TestClient): Promise<DirectMessagePayload[]> {
  const messages: DirectMessagePayload[] = [];
  for (let hasMore = true; hasMore;) {
    const page = await client.ask<DirectHistoryPayload>('dm:history', {
      conversationId: 'user_asha_ravi',
      afterSeq: messages.at(-1)?.seq ?? 0,
      limit: 100,
    });
    messages.push(...page.messages);
    hasMore = page.hasMore;
  }
  return messages;
}

describe('the server is killed with SIGKILL and started again', () => {
  it('history shows every acknowledged message, in order, once', async () => {
    const dataDir = await temporaryFolder();
    const acked: DirectMessagePayload[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await startServer(dataDir);
      const [a, r] = [await connectAs(server.address, asha), await connectAs(server.address, ravi)];
      const target = acked.length + ACKED_BEFORE_KILL;
      const enough = new Promise<void>((resolve) => {
        const check = (): void =>
          void (acked.length >= target ? resolve() : a.socket.once('dm:message_received', check));
        check();
      });
      const talking = Promise.all([
        chatter(a, ravi, acked, `a${kill}-`),
        chatter(r, asha, acked, `r${kill}-`),
      ]);
      await enough;
      await server.stop('SIGKILL');
      await talking;
    }

    const server = await startServer(dataDir);
    const history = await wholeHistory(await connectAs(server.address, asha));
    expect(history.map(({ seq }) => seq)).toEqual(history.map((_, i) => i + 1));
    const byId = new Map(history.map((message) => [message.id, message]));
    expect(byId.size).toBe(history.length);
    for (const message of acked) expect(byId.get(message.id)).toEqual(message);
    const ids = history.map(({ clientMessageId }) => clientMessageId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await server.stop()).toBe(0);
  });
});
