import { SingleBar } from 'cli-progress';
import { mongo } from 'mongoose';
import { print } from '../support/report.js';
import type { ConnectOrder } from './load-orders.js';
import type { Options } from './options.js';
import { makePair, type Stage } from './stage.js';

const SMALL = 1000;
const BATCH = 4000;
const BATCHES_AT_A_TIME = 2;
const DAY_MS = 86_400_000;

type Conversation = ConnectOrder['people'][number] & { messages: number };

/** The newest page, and one in the middle, of a small and of a large conversation: they should cost the same. */
export async function measureHistory(stage: Stage, options: Options): Promise<void> {
  const small = { ...(await makePair('ours', 'small')), messages: SMALL };
  const large = { ...(await makePair('ours', 'large')), messages: options.history };
  print();
  await fill(stage.data, small);
  await fill(stage.data, large);
  const newest = await timePages(stage, options, [small, large], () => ({}));
  const middle = await timePages(stage, options, [small, large], ({ messages }) => ({
    afterSeq: Math.floor(messages / 2),
  }));
  const counts = [SMALL, options.history].map((count) => count.toLocaleString('en').padStart(11));
  print(`${'History, 50 messages, median ms; messages:'.padEnd(42)} ${counts.join(' ')}   ratio  goal`);
  printPages('newest page (dm:history)', newest);
  printPages('afterSeq in the middle', middle);
}

function printPages(name: string, [small = 0, large = 0]: number[]): void {
  const ratio = large / small;
  const verdict = ratio <= 1.1 ? 'reached' : 'MISSED';
  const figures = [
    small.toFixed(2).padStart(11),
    large.toFixed(2).padStart(11),
    ratio.toFixed(2).padStart(7),
  ];
  print(`  ${name.padEnd(40)} ${figures.join(' ')}  ≤ 1.1 ${verdict}`);
}

/** Milliseconds for each conversation, asked for in turn. */
function timePages(
  { servers, load }: Stage,
  { historyRequests: times }: Options,
  conversations: Conversation[],
  windowOf: (conversation: Conversation) => object,
): Promise<number[]> {
  const requests = conversations.map((conversation) => ({
    auth: conversation.sides[0].auth,
    event: 'dm:history',
    payload: { conversationId: conversation.conversationId, ...windowOf(conversation) },
  }));
  return load.remote.call('timeRequests', { url: servers.ours.address, requests, times });
}

/** Writes a conversation past the server, which would take minutes for it. */
async function fill(data: mongo.Db, conversation: Conversation): Promise<void> {
  const { conversationId, sides, messages } = conversation;
  const now = new Date();
  const participants = sides.map(({ id, type }) => ({ id, type }));
  await data.collection<{ _id: string }>('directconversations').insertOne({
    _id: conversationId,
    participants,
    members: participants.map(({ id, type }) => `${type}:${id}`),
    createdAt: now,
    updatedAt: now,
    activeAt: now,
    lastSeq: messages,
  } as { _id: string });

  const bar = new SingleBar({
    format: 'filling a conversation [{bar}] {percentage} % | {value} of {total} messages | {eta} s left',
    noTTYOutput: false,
  });
  bar.start(messages, 0);
  const starts = Array.from({ length: Math.ceil(messages / BATCH) }, (_, index) => index * BATCH);
  const insertNext = async (): Promise<void> => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      const count = Math.min(BATCH, messages - start);
      const batch = Array.from({ length: count }, (_, index) => messageAt(start + index + 1, conversation));
      await data.collection('directmessages').insertMany(batch, { ordered: false });
      bar.increment(count);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_A_TIME }, insertNext));
  bar.stop();
}

/** The two take turns. */
function messageAt(seq: number, { conversationId, sides }: Conversation): object {
  const [sender, recipient] = seq % 2 === 1 ? sides : sides.toReversed();
  return {
    _id: new mongo.ObjectId(),
    conversationId,
    senderId: sender?.id,
    senderType: sender?.type,
    senderName: 'Asha',
    senderAvatar: '',
    recipientId: recipient?.id,
    recipientType: recipient?.type,
    content: `Message ${seq} of a long conversation about nothing in particular.`,
    messageType: 'text',
    timestamp: new Date(Date.now() - DAY_MS),
    status: 'delivered',
    seq,
    senderSeq: Math.ceil(seq / 2),
  };
}
