import { mongo } from 'mongoose';
import { count, type MigrationReport } from './faults.js';
import type { LegacyStore } from './legacy-store.js';
import { type LegacyDocument, toConversationId } from './legacy-values.js';
import { selfBroken, timeOf } from './message-plan.js';

const BATCH = 500;

/** Whether conversation and time of the message are of the types by which messages are brought into order. */
function orderFaults(message: LegacyDocument): ('conversationId' | 'timestamp')[] {
  if (selfBroken(message) !== undefined) return [];
  return [
    ...(typeof message.conversationId === 'string' ? [] : (['conversationId'] as const)),
    ...(message.timestamp instanceof Date ? [] : (['timestamp'] as const)),
  ];
}

export function countOrderFaults(report: MigrationReport, message: LegacyDocument): void {
  for (const fault of orderFaults(message)) count(report.messages.faults, fault);
}

/** Gives messages a conversation and a time by which the database can sort them. Repeated, it finds nothing to do. */
export async function repairOrder(store: LegacyStore, report: MigrationReport): Promise<void> {
  const wrong = [
    { timestamp: { $not: { $type: 'date' } } },
    { conversationId: { $not: { $type: 'string' } } },
  ];
  let operations: mongo.AnyBulkWriteOperation[] = [];
  const flush = async (): Promise<void> => {
    if (operations.length > 0) await store.messages.bulkWrite(operations, { ordered: false });
    operations = [];
  };
  for await (const message of store.messages.find({ seq: null, $or: wrong })) {
    if (orderFaults(message).length === 0) continue;
    countOrderFaults(report, message);
    const order = { conversationId: toConversationId(message.conversationId), timestamp: timeOf(message) };
    operations.push({ updateOne: { filter: { _id: message._id, seq: null }, update: { $set: order } } });
    if (operations.length >= BATCH) await flush();
  }
  await flush();
}

const UNUSABLE_ID = { clientMessageId: { $exists: true, $not: { $type: 'string' } } };

/**
 * Leaves each clientMessageId with the sender's first message that has it, because the server's unique index cannot be made otherwise.
 * Where that index exists there is nothing to do.
 */
export async function repairClientMessageIds(store: LegacyStore, report: MigrationReport): Promise<void> {
  if (await store.hasUniqueClientMessageIds()) return;
  if (report.isApplied) {
    const { modifiedCount } = await store.messages.updateMany(UNUSABLE_ID, {
      $unset: { clientMessageId: 1 },
    });
    count(report.messages.faults, 'clientMessageId', modifiedCount);
  }
  const repeated = store.messages.aggregate<{ _id: LegacyDocument; messages: number; first: mongo.ObjectId }>(
    [
      { $match: { clientMessageId: { $type: 'string' } } },
      {
        $group: {
          _id: { senderType: '$senderType', senderId: '$senderId', clientMessageId: '$clientMessageId' },
          messages: { $sum: 1 },
          first: { $min: '$_id' },
        },
      },
      { $match: { messages: { $gt: 1 } } },
    ],
    { allowDiskUse: true },
  );
  for await (const { _id: key, messages, first } of repeated) {
    count(report.messages.faults, 'clientMessageId', messages - 1);
    if (!report.isApplied) continue;
    await store.messages.updateMany(
      { senderType: null, senderId: null, ...key, _id: { $ne: first } },
      { $rename: { clientMessageId: 'formerClientMessageId' } },
    );
  }
}
