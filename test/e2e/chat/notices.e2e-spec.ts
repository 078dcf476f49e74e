import { ChatTimes } from '../../../src/chat/chat-times.js';
import { collectionOf, startApp } from '../../support/app.js';
import { newGroup, openRoom, roomHistory, say } from '../../support/chat-room.js';
import { connectAll, connectAs } from '../../support/client.js';
import type { Person } from '../../support/token.js';
import { until } from '../../support/until.js';

const soon = {
  provide: ChatTimes,
  useValue: Object.assign(new ChatTimes(), { noticeAgeMs: 100, noticeLookMs: 100 }),
};

const named = ({ id, type }: Person) => ({ id, type, name: id, avatar: '' });

describe('what happened to a room', () => {
  it('is said by any node when the one that wrote it died before it said so', async () => {
    const { ravi, asha, bela } = newGroup();
    const node = await startApp({}, [], [soon]);
    const [r, a, b] = await connectAll(node.url, ravi, asha, bela);
    const conversationId = await openRoom(r, [asha]);
    // What such a node leaves: bela is in, the room has a name, and nobody was told.
    const added = { version: 2, event: 'added', actor: named(ravi), subject: named(bela), at: new Date(0) };
    const renamed = { ...added, version: 3, event: 'renamed', subject: named(ravi), title: 'Tuesdays' };
    const rooms = collectionOf(node, 'chatrooms');
    await rooms.updateOne({ _id: conversationId as never }, {
      $set: { version: 3, title: 'Tuesdays', memberCount: 3 },
      $push: {
        members: { key: `user:${bela.id}`, joinedAt: new Date(), othersBefore: 1 },
        notices: { $each: [renamed, added] },
      },
    } as never);
    for (const client of [a, b])
      await client.waitFor('chat:message', ({ system }) => system?.event === 'renamed');
    const said = await roomHistory(b, conversationId);
    expect(said.map(({ message }) => message)).toEqual([
      `Name of ${ravi.id} created the room`,
      `${ravi.id} added ${bela.id}`,
      `${ravi.id} named the room “Tuesdays”`,
    ]);
    await until(async () => {
      const room = await rooms.findOne({ _id: conversationId as never });
      return (room as { notices?: unknown[] } | null)?.notices?.length === 0;
    });
  });

  it('is said once when several nodes say it', async () => {
    const { ravi, asha } = newGroup();
    const one = await startApp({}, [], [soon]);
    const two = await startApp({ MONGODB_URI: one.mongoUri }, [], [soon]);
    const r = await connectAs(one.url, ravi);
    const conversationId = await openRoom(r, [asha]);
    const notice = {
      version: 1,
      event: 'created',
      actor: named(ravi),
      subject: named(ravi),
      title: '',
      at: new Date(0),
    };
    const rooms = collectionOf(one, 'chatrooms');
    for (let i = 0; i < 3; i += 1) {
      await rooms.updateOne({ _id: conversationId as never }, { $push: { notices: notice } } as never);
      await until(async () => {
        const room = await rooms.findOne({ _id: conversationId as never });
        return (room as { notices?: unknown[] } | null)?.notices?.length === 0;
      });
    }
    await say(await connectAs(two.url, asha), conversationId);
    expect((await roomHistory(r, conversationId)).map(({ messageType }) => messageType)).toEqual([
      'system',
      'text',
    ]);
  });
});
