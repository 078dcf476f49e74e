import type { LiveTokenPayload } from '../../../src/contract/live.js';
import type { TestApp } from '../app.js';
import { answer, ring } from '../calls.js';
import { openRoom, say } from '../chat-room.js';
import { connectAs } from '../client.js';
import { sendTo } from '../direct-chat.js';
import { astrologer, tokenFor, user } from '../token.js';

/** In everything that an outsider must not get to see. */
export const SECRET = 'between asha and ravi';

export const asha = user('asha');
export const ravi = astrologer('ravi');
/** Has nothing to do with the two, and is not let into their stream. */
export const mallory = user('mallory');

/** Things of asha's and ravi's, one of each kind. */
export interface Things {
  conversationId: string;
  messageId: string;
  callId: string;
  streamId: string;
  commentId: string;
  roomId: string;
  pushToken: string;
  /** With which ravi connects. */
  authToken: string;
}

/** asha and ravi have talked, are in a call, in a live stream, and in a chat room. */
export async function makeThings({ url }: TestApp): Promise<Things> {
  const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
  const { id: messageId, conversationId } = await sendTo(a, ravi, { content: SECRET });
  const { callId } = await ring(a, ravi);
  await answer(r, callId);
  await a.ask('call:connected', { callId });
  const { streamId } = await r.ask<LiveTokenPayload>('live:start', {});
  await a.ask('live:join', { streamId });
  const { id: commentId } = await a.ask<{ id: string }>('live:comment', { streamId, message: 'Namaste' });
  await r.ask('live:ban', { streamId, userId: mallory.id, userType: mallory.type });
  const roomId = await openRoom(r, [asha], SECRET);
  await say(r, roomId, SECRET);
  const pushToken = 'a-token-of-ravi';
  await r.ask('push:register', { token: pushToken, platform: 'android' });
  const authToken = await tokenFor(ravi);
  return { conversationId, messageId, callId, streamId, commentId, roomId, pushToken, authToken };
}
