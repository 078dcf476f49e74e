import mongoose from 'mongoose';
import type { DirectConversationsPayload } from '../../../src/contract/direct-message.js';
import { connectAs } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { type RunningProcess, startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { astrologer, user } from '../../support/token.js';

const guru = astrologer('guru');
/** A server that wrote the note before the signal reached it proves nothing: it is killed again. */
const MAX_ROUNDS = 6;

interface StoredConversation {
  _id: string;
  lastSeq: number;
  lastMessage?: string;
}

async function storedConversations(mongoUri: string): Promise<Map<string, StoredConversation>> {
  const client = new mongoose.mongo.MongoClient(mongoUri);
  const found = await client
    .db('samvad')
    .collection<StoredConversation>('directconversations')
    .find()
    .toArray();
  await client.close();
  return new Map(found.map((conversation) => [conversation._id, conversation]));
}

/** An old conversation gets a message, a new one its first; the server is killed when both are acknowledged. */
async function sayAndKill(server: RunningProcess, round: number): Promise<void> {
  const [old, fresh] = [
    await connectAs(server.address, user('first')),
    await connectAs(server.address, user(`new${round}`)),
  ];
  await Promise.all([
    sendTo(old, guru, { content: `again ${round}` }),
    sendTo(fresh, guru, { content: `new here ${round}` }),
  ]);
  await server.stop('SIGKILL');
}

describe('the server is killed right after messages were acknowledged, before it noted them', () => {
  it('lastMessage, lastSeq and the order of conversations are right when the first client is let in', async () => {
    const mongo = await startMongo(await temporaryFolder());
    const dataDir = await temporaryFolder();
    const start = (): Promise<RunningProcess> => startServer(dataDir, { MONGODB_URI: mongo.address });
    let server = await start();
    const g = await connectAs(server.address, guru);
    for (const id of ['first', 'second', 'third'])
      await sendTo(await connectAs(server.address, user(id)), guru, { content: `I am ${id}` });
    // The list is asked for, so it is noted.
    await g.ask('dm:conversations', {});

    let round = 0;
    for (let wasStale = false; !wasStale;) {
      round += 1;
      if (round > MAX_ROUNDS) throw new Error('the server was always faster than the signal');
      await sayAndKill(server, round);
      const left = await storedConversations(mongo.address);
      wasStale =
        left.get('user_first_guru')?.lastSeq === round && left.get(`user_new${round}_guru`)?.lastSeq === 0;
      server = await start();
    }

    const noted = await storedConversations(mongo.address);
    expect(noted.get('user_first_guru')).toMatchObject({ lastSeq: round + 1, lastMessage: `again ${round}` });
    expect(noted.get(`user_new${round}_guru`)).toMatchObject({
      lastSeq: 1,
      lastMessage: `new here ${round}`,
    });
    const client = await connectAs(server.address, guru);
    const { conversations } = await client.ask<DirectConversationsPayload>('dm:conversations', {});
    const shown = conversations.map(({ conversationId, lastSeq, lastMessage, unreadCount }) => ({
      conversationId,
      lastSeq,
      lastMessage,
      unreadCount,
    }));
    expect(shown.slice(0, 2)).toEqual(
      expect.arrayContaining([
        {
          conversationId: 'user_first_guru',
          lastSeq: round + 1,
          lastMessage: `again ${round}`,
          unreadCount: round + 1,
        },
        {
          conversationId: `user_new${round}_guru`,
          lastSeq: 1,
          lastMessage: `new here ${round}`,
          unreadCount: 1,
        },
      ]),
    );
    expect(shown.slice(-2).map(({ conversationId }) => conversationId)).toEqual([
      'user_third_guru',
      'user_second_guru',
    ]);
    expect(await server.stop()).toBe(0);
  });
});
