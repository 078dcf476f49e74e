import { startEmbeddedMongo } from '@samvad/embedded-mongo';
import type { mongo } from 'mongoose';
import { partyKey } from '../../../src/contract/identity.js';
import { emptyReport } from '../../../src/migration/faults.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { FormerDatabase } from '../../support/former-database.js';
import { type LegacyData, LegacyDataMaker } from '../../support/legacy-data.js';

let former: FormerDatabase;

beforeEach(async () => {
  const server = await startEmbeddedMongo({ durable: false });
  closeAfterTest(() => server.close());
  former = await FormerDatabase.open(server.uri, closeAfterTest);
});

async function store(data: LegacyData): Promise<void> {
  // As the former backend's schema has them.
  await former.messages.createIndexes([{ key: { conversationId: 1 } }, { key: { timestamp: 1 } }]);
  await former.messages.insertMany(data.messages);
  await former.conversations.insertMany(data.conversations);
}

async function everything(): Promise<mongo.Document[][]> {
  const names = ['directmessages', 'directconversations', 'directmarks'];
  return Promise.all(names.map((name) => former.collection(name).find().sort({ _id: 1 }).toArray()));
}

describe('the migration', () => {
  it('gives every usable message its place, in the order of sending, and leaves the others as they are', async () => {
    const data = new LegacyDataMaker().make(40, 30);
    await store(data);
    const report = await former.migrate();

    for (const [conversationId, order] of data.order) {
      const stored = await former.messages
        .find({ conversationId, seq: { $gt: 0 } })
        .sort({ seq: 1 })
        .toArray();
      expect(stored.map(({ _id }) => String(_id))).toEqual(order);
      expect(stored.map(({ seq }) => seq)).toEqual(order.map((_, i) => i + 1));
      const written = new Map<string, number>();
      const conversation = await former.conversations.findOne({ _id: conversationId as never });
      for (const { senderId, senderType, recipientId, recipientType, senderSeq } of stored) {
        const key = partyKey({ id: senderId, type: senderType });
        written.set(key, (written.get(key) ?? 0) + 1);
        expect(senderSeq).toBe(written.get(key));
        expect([key, partyKey({ id: recipientId, type: recipientType })].toSorted()).toEqual(
          conversation?.members.toSorted(),
        );
      }
      const last = stored.at(-1);
      expect(conversation).toMatchObject({
        lastSeq: order.length,
        lastMessage: last?.content,
        lastMessageAt: last?.timestamp,
        activeAt: last?.timestamp,
      });
    }
    const usable = [...data.order.values()].flat().length;
    expect(report.messages.numbered).toBe(usable);
    expect(await former.messages.countDocuments({ seq: { $gt: 0 } })).toBe(usable);
    for (const before of data.broken)
      expect(await former.messages.findOne({ _id: before._id })).toEqual(before);
    expect(await former.conversations.countDocuments({ migrating: { $exists: true } })).toBe(0);
    expect((await former.messages.indexes()).map(({ name }) => name)).not.toContain('samvad_migration');
  });

  it('says in a dry run what it would do, and changes nothing', async () => {
    await store(new LegacyDataMaker().make(20, 20));
    const before = await everything();
    const foretold = await former.migrate(false);
    expect(await everything()).toEqual(before);
    expect((await former.messages.indexes()).length).toBe(3);
    expect(await former.migrate()).toEqual({ ...foretold, isApplied: true });
  });

  it('changes nothing when it is repeated', async () => {
    const data = new LegacyDataMaker().make(20, 20);
    await store(data);
    const { messages: done, conversations: found } = await former.migrate();
    const before = await everything();
    const again = await former.migrate();
    const nothing = emptyReport(true);
    expect(again).toEqual({
      ...nothing,
      messages: { ...nothing.messages, broken: done.broken },
      conversations: { ...nothing.conversations, broken: found.broken },
    });
    expect(await everything()).toEqual(before);
    expect(await former.messages.countDocuments()).toBe(data.messages.length);
  });

  it('run twice at the same time leaves no gap: one of the two stops', async () => {
    const data = new LegacyDataMaker().make(10, 60);
    await store(data);
    const runs = await Promise.allSettled([former.migrate(), former.migrate()]);
    const stopped = runs.filter((run) => run.status === 'rejected');
    for (const { reason } of stopped) expect(String(reason)).toMatch(/another migration|index|cursor/i);
    for (const [conversationId, order] of data.order) {
      const stored = await former.messages
        .find({ conversationId, seq: { $gt: 0 } }, { sort: { seq: 1 } })
        .toArray();
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
      expect(stored.map(({ _id }) => String(_id))).toEqual(order.slice(0, stored.length));
    }
    await former.migrate();
    const usable = [...data.order.values()].flat().length;
    expect(await former.messages.countDocuments({ seq: { $gt: 0 } })).toBe(usable);
    expect(await former.messages.countDocuments()).toBe(data.messages.length);
    expect(await former.conversations.countDocuments({ migrating: { $exists: true } })).toBe(0);
  });
});
