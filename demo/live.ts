import { randomUUID } from 'node:crypto';
import { play } from './cast.js';
import type { Person } from './person.js';
import { type Payload, remark, title } from './print.js';
import type { DemoServer } from './server.js';

/** An astrologer broadcasts to two viewers, who comment, give and like; fails unless everybody is told of everything, and the summary is right. */
export async function demoLive(server: DemoServer): Promise<void> {
  await play(server, async (join) => {
    const ravi = await join('astrologer', 'Ravi');
    const viewers = [await join('user', 'Asha'), await join('user', 'Meena')];
    const stream = await begin(ravi, viewers);
    if (stream === undefined) return;
    await watch(stream, ravi, viewers);
    await take(stream, ravi, viewers);
    await moderate(stream, ravi, viewers);
    await end(stream, ravi, viewers);
  });
}

/** The stream's id; undefined when the server gives out no tokens. */
async function begin(ravi: Person, viewers: Person[]): Promise<unknown> {
  title('A stream begins');
  const about = { title: 'The new moon', category: 'Astrology' };
  const started = await ravi.sayUnless('live:start', about, 'AGORA_NOT_CONFIGURED');
  if (started === undefined) {
    remark('Agora is not configured on that server (AGORA_APP_ID): in production nobody can broadcast');
    return undefined;
  }
  for (const viewer of viewers) await viewer.expect(['live:stream_started'], isOf(started.streamId));
  return started.streamId;
}

async function watch(streamId: unknown, ravi: Person, viewers: Person[]): Promise<void> {
  title('Two viewers come');
  for (const viewer of viewers) await viewer.say('live:join', { streamId });
  for (const person of [ravi, ...viewers])
    await expectCount(person, 'live:viewer_count', streamId, viewers.length);
}

async function take(streamId: unknown, ravi: Person, [asha, meena]: Person[]): Promise<void> {
  if (asha === undefined || meena === undefined) return;
  const everybody = [ravi, asha, meena];
  title('They comment, give, react and like');
  await asha.say('live:comment', { streamId, message: 'Namaste, Guru-ji!' });
  await expectAll(everybody, 'live:comment', isWritten('Namaste, Guru-ji!'));
  const gift = { streamId, giftType: 'rose', giftValue: 50, clientGiftId: randomUUID() };
  const { id } = await meena.say('live:gift', gift);
  await expectAll(everybody, 'live:gift', (payload) => payload.id === id);
  remark('her phone did not get the answer, and sends it again');
  await meena.say('live:gift', gift);
  await asha.say('live:reaction', { streamId, reactionType: 'heart' });
  await ravi.expect(['live:reaction'], isOf(streamId));
  await asha.say('live:like', { streamId });
  await meena.say('live:like', { streamId });
  await asha.isRefused('live:like', { streamId }, 'CONFLICT');
  for (const person of everybody) await expectCount(person, 'live:like_count', streamId, 2);
  if (asha.count(['live:gift'], (payload) => payload.id === id) !== 1)
    throw new Error('One gift was shown twice.');
}

async function moderate(streamId: unknown, ravi: Person, [asha, meena]: Person[]): Promise<void> {
  if (asha === undefined || meena === undefined) return;
  title('Ravi keeps order');
  const { id: commentId } = await meena.say('live:comment', { streamId, message: 'Buy my lottery tickets' });
  await ravi.say('live:delete_comment', { streamId, commentId });
  await asha.expect(['live:comment_deleted'], isOf(streamId));
  await ravi.say('live:ban', { streamId, userId: meena.id, userType: meena.type });
  await meena.expect(['live:kicked'], isOf(streamId));
  await meena.isRefused('live:join', { streamId }, 'FORBIDDEN');
  await expectCount(ravi, 'live:viewer_count', streamId, 1);
}

async function end(streamId: unknown, ravi: Person, viewers: Person[]): Promise<void> {
  title('The stream ends');
  const { likeCount, giftCount, giftValue, totalViews } = await ravi.say('live:end', { streamId });
  await viewers[0]?.expect(['live:end'], isOf(streamId));
  for (const viewer of viewers) await viewer.expect(['live:stream_ended'], isOf(streamId));
  const sums = [likeCount, giftCount, giftValue, totalViews];
  if (sums.join() !== '2,1,50,2') throw new Error(`The summary says ${sums.join()}.`);
}

/** Counts are bundled: it is the last one that is right. */
function expectCount(person: Person, event: string, streamId: unknown, count: number): Promise<void> {
  return person.expect([event], (payload) => isOf(streamId)(payload) && payload.count === count);
}

async function expectAll(
  people: Person[],
  event: string,
  fits: (payload: Payload) => boolean,
): Promise<void> {
  for (const person of people) await person.expect([event], fits);
}

function isOf(streamId: unknown): (payload: Payload) => boolean {
  return (payload) => payload.streamId === streamId;
}

function isWritten(message: string): (payload: Payload) => boolean {
  return (payload) => payload.message === message;
}
