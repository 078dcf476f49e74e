import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerEvents } from '../../../src/contract/server-events.js';
import { CallTimes } from '../../../src/call/call-times.js';
import type { CallHistoryPayload } from '../../../src/contract/call.js';
import type { LiveCommentsPayload } from '../../../src/contract/live.js';
import { collectionOf, startApp } from '../../support/app.js';
import { openRoom, say } from '../../support/chat-room.js';
import { connectAll, connectAs } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { withLiveTimes } from '../../support/live-stream.js';
import { withPresenceTimes } from '../../support/presence.js';
import { admin, astrologer, user } from '../../support/token.js';

const document = readFileSync(join(import.meta.dirname, '../../../docs/events.md'), 'utf8');
const [sentByClients = '', sentByServer = ''] = document.split(/^## What the server sends$/m);

/** The example of an event that the server sends, or of one that clients send. */
function exampleOf(event: string, chapter = sentByServer): unknown {
  const section = chapter.split(/^### /m).find((text) => text.startsWith(`\`${event}\``)) ?? '';
  const [, example] = /^```json\n([^]*?)^```$/m.exec(section) ?? [];
  if (example === undefined) throw new Error(`${event} has no example`);
  return JSON.parse(example);
}

/** The keys and the kinds of values at every depth; of a list, those of its first entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? 'list' : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

it('what the server sends has the fields of the documented examples, no more and no fewer', async () => {
  const { url } = await startApp({}, [], [withPresenceTimes({ offlineDelayMs: 50 })]);
  const boss = await connectAs(url, admin());
  const [a, r] = [await connectAs(url, user('asha')), await connectAs(url, astrologer('ravi'))];
  const { id: messageId, conversationId } = await sendTo(a, astrologer('ravi'), {
    content: 'Namaste',
    clientMessageId: 'c1',
  });
  for (const client of [a, r]) await client.ask('dm:join_conversation', { conversationId });
  await a.ask('dm:typing_start', { conversationId });
  await r.ask('dm:mark_delivered', { conversationId, upToSeq: 1 });
  await r.ask('dm:mark_read', { conversationId, upToSeq: 1 });
  await r.ask('dm:report', { messageId, reason: 'spam' });
  await r.ask('dm:react', { messageId, emoji: '🙏' });
  await a.ask('dm:delete_message', { messageId });
  await boss.ask('get_stats', {});

  const got: Partial<ServerEvents> = {
    connected: await a.waitFor('connected'),
    'dm:message_received': await r.waitFor('dm:message_received'),
    'dm:typing_start': await r.waitFor('dm:typing_start'),
    'dm:messages_delivered': await a.waitFor('dm:messages_delivered'),
    'dm:messages_read': await a.waitFor('dm:messages_read'),
    'dm:report_created': await boss.waitFor('dm:report_created'),
    'dm:reaction_updated': await a.waitFor('dm:reaction_updated'),
    'dm:message_deleted': await r.waitFor('dm:message_deleted'),
    'astrologer:status_changed': await boss.waitFor('astrologer:status_changed'),
    stats: await boss.waitFor('stats'),
  };
  for (const [event, payload] of Object.entries(got)) {
    const [real, documented] = [payload, exampleOf(event)].map(shapeOf) as [object, object];
    // A report's message has a clientMessageId or none; the rest is as it is in the example.
    const known = event === 'dm:report_created' ? keysOf : (shape: object): object => shape;
    expect([event, known(real)]).toEqual([event, known(documented)]);
  }

  // “With the same fields” as a message.
  const second = await sendTo(a, astrologer('ravi'));
  await a.ask('dm:edit_message', { messageId: second.id, content: 'edited' });
  const updated = await r.waitFor('dm:message_updated');
  expect(Object.keys(updated).toSorted()).toEqual(
    Object.keys(exampleOf('dm:message_received') as object).toSorted(),
  );
});

it('what the server sends of calls has the fields of the documented examples, no more and no fewer', async () => {
  const callTimes = Object.assign(new CallTimes(), { lookIntervalMs: 50 });
  const node = await startApp({}, [], [{ provide: CallTimes, useValue: callTimes }]);
  const { url } = node;
  const [a, r] = await connectAll(url, user('asha'), astrologer('ravi'));
  const toRavi = { recipientId: 'ravi', recipientType: 'astrologer', callType: 'video' };
  const { callId: declined } = await a.ask<{ callId: string }>('call:initiate', toRavi);
  await r.ask('call:reject', { callId: declined });
  const { callId } = await a.ask<{ callId: string }>('call:initiate', toRavi);
  await r.ask('call:accept', { callId });
  await a.ask('call:connected', { callId });
  await collectionOf(node, 'calls').updateOne({ status: 'connected' }, { $set: { tokenDue: new Date() } });
  const expiring = await a.waitFor('call:token_expiring');
  await a.ask('call:end', { callId });

  const got: Partial<ServerEvents> = {
    'call:token': await a.waitFor('call:token'),
    'call:incoming': await r.waitFor('call:incoming'),
    'call:accept': await a.waitFor('call:accept'),
    'call:reject': await a.waitFor('call:reject'),
    'call:connected': await r.waitFor('call:connected'),
    'call:token_expiring': expiring,
    'call:end': await r.waitFor('call:end'),
  };
  for (const [event, payload] of Object.entries(got))
    expect([event, shapeOf(payload)]).toEqual([event, shapeOf(exampleOf(event))]);

  const history = await a.ask<CallHistoryPayload>('call:history', {});
  expect(shapeOf(history)).toEqual(shapeOf(exampleOf('call:history', sentByClients)));

  // “Of a `call_log` alone.”
  const log = await r.waitFor('dm:message_received', (message) => message.callId === callId);
  const ofCalls = ['callId', 'callType', 'callStatus', 'callDuration'];
  expect(Object.keys(log).toSorted()).toEqual(
    [...Object.keys(exampleOf('dm:message_received') as object), ...ofCalls].toSorted(),
  );
});

it('what the server sends of live streams has the fields of the documented examples, no more and no fewer', async () => {
  const { url } = await startApp({}, [], [withLiveTimes({ countIntervalMs: 50 })]);
  const [r, a] = await connectAll(url, astrologer('ravi'), user('asha'));
  const { streamId } = await r.ask<{ streamId: string }>('live:start', { title: 'The moon', tags: ['moon'] });
  await a.ask('live:join', { streamId });
  const active = await a.ask('live:active', {});
  const { id: commentId } = await a.ask<{ id: string }>('live:comment', { streamId, message: 'Namaste!' });
  const { comments } = await a.ask<LiveCommentsPayload>('live:comments', { streamId });
  await r.ask('live:pin', { streamId });
  await r.ask('live:delete_comment', { streamId, commentId });
  const gift = await a.ask('live:gift', { streamId, giftType: 'rose', giftValue: 50 });
  await a.ask('live:reaction', { streamId });
  await a.waitFor('live:reaction');
  await a.ask('live:like', { streamId });
  await a.waitFor('live:viewer_joined');
  const asha = { streamId, userId: 'asha', userType: 'user' };
  await r.ask('live:mute', asha);
  await r.ask('live:ban', asha);
  const left = await r.waitFor('live:viewer_left');
  const summary = await r.ask('live:end', { streamId });

  const got: Partial<ServerEvents> = {
    'live:stream_started': await a.waitFor('live:stream_started'),
    'live:stream_ended': await a.waitFor('live:stream_ended'),
    'live:end': await r.waitFor('live:end'),
    'live:comment': await a.waitFor('live:comment'),
    'live:comment_deleted': await a.waitFor('live:comment_deleted'),
    'live:pinned': await a.waitFor('live:pinned'),
    'live:gift': await a.waitFor('live:gift'),
    'live:reaction': await a.waitFor('live:reaction'),
    'live:like_count': await a.waitFor('live:like_count'),
    'live:viewer_count': await a.waitFor('live:viewer_count'),
    'live:viewer_joined': await a.waitFor('live:viewer_joined'),
    'live:viewer_left': left,
    'live:kicked': await a.waitFor('live:kicked'),
    'live:muted': await a.waitFor('live:muted'),
  };
  for (const [event, payload] of Object.entries(got))
    expect([event, shapeOf(payload)]).toEqual([event, shapeOf(exampleOf(event))]);
  expect(shapeOf(comments[0])).toEqual(shapeOf(exampleOf('live:comment')));
  expect(shapeOf(gift)).toEqual(shapeOf(exampleOf('live:gift')));
  expect(shapeOf(summary)).toEqual(shapeOf(exampleOf('live:end', sentByClients)));
  expect(shapeOf(active)).toEqual(shapeOf(exampleOf('live:active', sentByClients)));
});

it('what the server sends of chat rooms has the fields of the documented examples, no more and no fewer', async () => {
  const { url } = await startApp({}, [], [withPresenceTimes({ offlineDelayMs: 50 })]);
  const [r, a] = await connectAll(url, astrologer('ravi'), user('asha'));
  const conversationId = await openRoom(r, [user('asha'), user('bela')], 'Consultation');
  await a.ask('chat:join', { conversationId });
  await r.ask('chat:typing', { conversationId });
  await a.waitFor('chat:typing');
  await say(r, conversationId, 'Namaste', { clientMessageId: 'c1' });
  await r.ask('chat:read', { conversationId, upToSeq: 2 });
  const rooms = await a.ask('chat:rooms', {});
  const members = await a.ask('chat:members', { conversationId, limit: 1 });
  const b = await connectAs(url, user('bela'));
  await r.waitFor('chat:online', ({ userId }) => userId === 'bela');
  await r.ask('chat:remove_member', { conversationId, userId: 'bela', userType: 'user' });

  const got: Partial<ServerEvents> = {
    'chat:message': await a.waitFor('chat:message', ({ messageType }) => messageType === 'text'),
    'chat:typing': await a.waitFor('chat:typing'),
    'chat:read': await a.waitFor('chat:read'),
    'chat:removed': await b.waitFor('chat:removed'),
    'chat:online': await r.waitFor('chat:online'),
  };
  for (const [event, payload] of Object.entries(got))
    expect([event, shapeOf(payload)]).toEqual([event, shapeOf(exampleOf(event))]);
  expect(shapeOf(rooms)).toEqual(shapeOf(exampleOf('chat:rooms', sentByClients)));
  expect(shapeOf(members)).toEqual(shapeOf(exampleOf('chat:members', sentByClients)));

  // “Of a `system` message alone.”
  const [system] = a.all('chat:message');
  expect(Object.keys(system as object).toSorted()).toEqual(
    [...Object.keys(exampleOf('chat:message') as object), 'system'].toSorted(),
  );
});

/** Without the kinds of values. */
function keysOf(shape: object): object {
  return Object.fromEntries(
    Object.entries(shape).map(([key, inner]) => [
      key,
      typeof inner === 'object' && inner !== null ? keysOf(inner as object) : '',
    ]),
  );
}
