import { Types } from 'mongoose';
import type {
  DirectConversationsPayload,
  DirectMessagePayload,
} from '../../../src/contract/direct-message.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import {
  answer,
  callIn,
  callOf,
  callTo,
  endsAt,
  expire,
  FINAL_STATES,
  prolong,
  ring,
  ringsAt,
  withCallTimes,
} from '../../support/calls.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import { barrier, historyOf, refusal, sendTo } from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { admin } from '../../support/token.js';
import { until } from '../../support/until.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp({}, [], [withCallTimes({ lookIntervalMs: 50 })]);
  ({ url } = server);
});

const logOf = (client: TestClient, callId: string): Promise<DirectMessagePayload> =>
  client.waitFor('dm:message_received', (message) => message.callId === callId);

const logsAt = (client: TestClient, callId: string) =>
  client.all('dm:message_received').filter((message) => message.callId === callId);

async function unreadOf(client: TestClient): Promise<number | undefined> {
  const { conversations } = await client.ask<DirectConversationsPayload>('dm:conversations', {});
  return conversations.find((conversation) => conversation.conversationId === conversationId)?.unreadCount;
}

const LOG_STATUS = {
  ended: 'completed',
  rejected: 'declined',
  cancelled: 'cancelled',
  missed: 'missed',
} as const;

describe('the log of a finished call', () => {
  it.each(FINAL_STATES)('is one message of the caller for a call that is %s', async (state) => {
    const caller = { ...asha, name: 'Asha', avatar: 'https://a.example/a.jpg' };
    const [a1, a2, r1, r2] = await connectAll(url, caller, caller, ravi, ravi);
    const callId = await callIn(state, server, [a1, r1, ravi]);
    const log = await logOf(r1, callId);
    const { duration, endedAt } = await callOf(a1, callId);
    const callStatus = LOG_STATUS[state];
    expect(log).toEqual({
      id: expect.any(String) as string,
      _id: log.id,
      conversationId,
      seq: 1,
      senderId: asha.id,
      senderType: 'user',
      senderName: 'Asha',
      senderAvatar: 'https://a.example/a.jpg',
      recipientId: ravi.id,
      recipientType: 'astrologer',
      content: state === 'ended' ? `Voice call, 0:0${duration}` : `Voice call ${callStatus}`,
      messageType: 'call_log',
      mediaUrl: null,
      mediaSize: null,
      mediaDuration: null,
      thumbnailUrl: null,
      replyToId: null,
      timestamp: endedAt,
      status: 'delivered',
      clientMessageId: `call_log:${callId}`,
      editedAt: null,
      deletedAt: null,
      reactions: [],
      revision: 0,
      callId,
      callType: 'voice',
      callStatus,
      callDuration: duration,
    });
    await barrier(a1, ravi, a1, a2, r1, r2);
    for (const client of [a1, a2, r1, r2]) expect(logsAt(client, callId)).toEqual([log]);
    expect((await historyOf(a1, conversationId))[0]).toEqual(log);
  });

  it.each([
    [5, 'Video call, 0:05'],
    [65, 'Video call, 1:05'],
    [3600, 'Video call, 1:00:00'],
    [36_605, 'Video call, 10:10:05'],
  ])('of a talk of %i s says so in words: %s', async (seconds, content) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi, { callType: 'video' });
    await ringsAt(r, callId);
    await answer(r, callId);
    await prolong(server, callId, seconds);
    const { duration } = await r.ask<{ duration: number }>('call:end', { callId, duration: 1 });
    const log = await logOf(a, callId);
    expect(log).toMatchObject({ callType: 'video', callStatus: 'completed', callDuration: duration });
    // The clock goes on while the test does.
    if (duration === seconds) expect(log.content).toBe(content);
    else expect(log.content).toMatch(/^Video call, (\d+:)?\d{1,2}:\d\d$/);
  });

  it.each([
    ['missed', 'Video call missed'],
    ['rejected', 'Video call declined'],
    ['cancelled', 'Video call cancelled'],
  ])('of a video call that is %s says %j', async (state, content) => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi, { callType: 'video' });
    await ringsAt(r, callId);
    if (state === 'missed') await expire(server, callId);
    if (state === 'rejected') r.tell('call:reject', { callId });
    if (state === 'cancelled') a.tell('call:end', { callId });
    expect(await logOf(r, callId)).toMatchObject({ content, callType: 'video', callDuration: 0 });
  });

  it('of a call that met somebody busy is that of a missed one, in the conversation of those two', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    await callIn('connected', server, [a, r, ravi]);
    await m.send('call:initiate', callTo(ravi));
    const { callId } = await m.waitFor('call:reject');
    for (const client of [m, r]) {
      expect(await logOf(client, callId)).toMatchObject({
        conversationId: `user_${mallory.id}_${ravi.id}`,
        senderId: mallory.id,
        callStatus: 'missed',
        content: 'Voice call missed',
      });
    }
    await barrier(r, asha, a);
    expect(logsAt(a, callId)).toEqual([]);
  });

  it('with an admin is in the conversation with the shared admin', async () => {
    const [a, one, two] = await connectAll(url, asha, admin('one'), admin('two'));
    const { callId } = await ring(one, asha);
    await ringsAt(a, callId);
    a.tell('call:reject', { callId });
    for (const client of [a, one, two]) {
      expect(await logOf(client, callId)).toMatchObject({
        conversationId: `admin_user_${asha.id}`,
        senderId: 'admin',
        senderName: 'Name of one',
        recipientId: asha.id,
        callStatus: 'declined',
      });
    }
  });

  it('has its place among the messages, without a gap, and counts as one of the caller’s', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    await sendTo(a, ravi);
    await sendTo(r, asha);
    const missed = await callIn('missed', server, [a, r, ravi]);
    await logOf(r, missed);
    expect([await unreadOf(r), await unreadOf(a)]).toEqual([2, 1]);
    await sendTo(r, asha);
    const ended = await callIn('ended', server, [a, r, ravi]);
    await logOf(r, ended);
    await sendTo(a, ravi);
    expect([await unreadOf(r), await unreadOf(a)]).toEqual([4, 2]);
    const messages = await historyOf(r, conversationId);
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(messages.map(({ callId }) => callId)).toEqual([
      undefined,
      undefined,
      missed,
      undefined,
      ended,
      undefined,
    ]);
    await r.ask('dm:mark_read', { conversationId, upToSeq: 5 });
    expect(await unreadOf(r)).toBe(1);
  });

  it('is the last message of the conversation', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('missed', server, [a, r, ravi]);
    await logOf(r, callId);
    for (const client of [a, r]) {
      expect(await client.ask('dm:conversations', {})).toMatchObject({
        conversations: [{ lastMessage: 'Voice call missed', lastMessageType: 'call_log', lastSeq: 1 }],
      });
    }
  });

  it('says that it was not delivered to one who is away', async () => {
    const a = await connectAs(url, asha);
    const { callId } = await ring(a, ravi);
    await a.ask('call:end', { callId });
    expect(await logOf(a, callId)).toMatchObject({ status: 'sent', callStatus: 'cancelled' });
  });

  it('is written although the callee has blocked the caller meanwhile', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    await r.ask('dm:block', { userId: asha.id, userType: asha.type });
    await r.ask('call:reject', { callId });
    for (const client of [a, r])
      expect(await logOf(client, callId)).toMatchObject({ callStatus: 'declined' });
    expect(await historyOf(r, conversationId)).toHaveLength(1);
    const message = { recipientId: ravi.id, recipientType: ravi.type, content: 'but' };
    expect((await refusal(a, 'dm:send_message', message)).code).toBe('FORBIDDEN');
  });

  it('is one, however often it is written', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('ended', server, [a, r, ravi]);
    const log = await logOf(r, callId);
    const calls = collectionOf(server, 'calls');
    const call = { _id: new Types.ObjectId(callId) };
    const isDone = async () => (await calls.findOne(call))?.followUpDue === undefined;
    await until(isDone);
    // As if the node had died before it noted that everything was done.
    await calls.updateOne(call, { $set: { followUpDue: new Date() } });
    await until(isDone);
    await barrier(a, ravi, a, r);
    for (const client of [a, r]) {
      expect(logsAt(client, callId)).toEqual([log]);
      expect((await historyOf(client, conversationId)).map(({ seq }) => seq)).toEqual([1, 2]);
    }
  });

  it('is written by another node, and its end told, when the one that stored the end died before', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('connected', server, [a, r, ravi]);
    const ended = { status: 'ended', endedAt: new Date(), duration: 12, endReason: 'ended' };
    await collectionOf(server, 'calls').updateOne(
      { _id: new Types.ObjectId(callId) },
      {
        $set: { ...ended, followUpDue: new Date() },
        $unset: { open: 1, occupied: 1, presenceDue: 1, tokenDue: 1, lastActor: 1, lastSocketId: 1 },
      },
    );
    for (const client of [a, r]) {
      expect(await endsAt(client, callId)).toEqual({ callId, duration: 12, reason: 'ended' });
      expect(await logOf(client, callId)).toMatchObject({ content: 'Voice call, 0:12', callDuration: 12 });
    }
  });

  it('is none while the call goes on', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    for (const state of ['ringing', 'connected'] as const) {
      const callId = await callIn(state, server, [a, r, ravi]);
      await barrier(a, ravi, a, r);
      expect([...logsAt(a, callId), ...logsAt(r, callId)]).toEqual([]);
      await a.ask('call:end', { callId });
      await logOf(r, callId);
    }
  });

  it('cannot be forged by a client, nor kept from being written', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    await ringsAt(r, callId);
    const message = { recipientId: ravi.id, recipientType: ravi.type, content: 'Voice call, 9:99:99' };
    for (const clientMessageId of [`call_log:${callId}`, 'call_log:', 'call_log:x'])
      await expectBadField(a, 'dm:send_message', { ...message, clientMessageId }, 'clientMessageId');
    await expectBadField(a, 'dm:send_message', { ...message, messageType: 'call_log' }, 'messageType');
    const own = await sendTo(a, ravi, { content: 'text', callId, callStatus: 'completed', callDuration: 9 });
    expect(own.callId).toBeUndefined();
    await a.ask('call:end', { callId });
    expect(await logOf(r, callId)).toMatchObject({ callStatus: 'cancelled', seq: 2 });
  });

  it('cannot be edited', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const callId = await callIn('missed', server, [a, r, ravi]);
    const { id: messageId } = await logOf(a, callId);
    const error = await refusal(a, 'dm:edit_message', { messageId, content: 'Voice call, 1:00:00' });
    expect(error).toMatchObject({ code: 'CONFLICT', details: { state: 'not_editable' } });
  });
});
