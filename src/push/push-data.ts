import { type Party, partyKey } from '../contract/identity.js';
import type { CallPushData, MessagePushData, PushData } from '../contract/push.js';

/** UTF-16 units, so that no client counts more characters than contract §8 allows. */
const MAX_CONTENT_LENGTH = 100;
/** Bytes. FCM refuses more than 4,096 for the whole push; a picture's address must not be what costs somebody a call. */
const MAX_AVATAR_BYTES = 1536;
/** A phone that was off for longer learns of messages when its app is opened. */
const MESSAGE_TTL_MS = 24 * 3600 * 1000;
/** How long a message's push is tried again. */
const MESSAGE_RETRY_MS = 3600 * 1000;
/** About as long as a phone may still ring, and the ring's own push is not older. */
const CANCEL_TTL_MS = 60_000;

/** What there is to say of a message to one who is away. */
export type MessagePush = Omit<MessagePushData, 'type'>;

/** What there is to say of a call to the one who is called. */
export interface CallPush extends Omit<CallPushData, 'type' | 'expiresAt' | 'timestamp'> {
  /** The end of the ringing. */
  expiresAt: Date;
}

/** A push to all devices of a party. */
export interface Push {
  /** `partyKey`. */
  party: string;
  data: PushData;
  /** When it is of no use to a device any more. */
  expiresAt: Date;
  /** When it is not tried again any more. */
  retryUntil: Date;
}

export function messagePush(recipient: Party, message: MessagePush): Push {
  const now = Date.now();
  const data: MessagePushData = {
    type: 'message',
    conversationId: message.conversationId,
    messageId: message.messageId,
    senderId: message.senderId,
    senderName: message.senderName,
    senderType: message.senderType,
    senderAvatar: bounded(message.senderAvatar),
    content: shorten(message.content, MAX_CONTENT_LENGTH),
    messageType: message.messageType,
  };
  const expiresAt = new Date(now + MESSAGE_TTL_MS);
  return { party: partyKey(recipient), data, expiresAt, retryUntil: new Date(now + MESSAGE_RETRY_MS) };
}

export function ringPush(callee: Party, call: CallPush): Push {
  const data: CallPushData = {
    type: call.callType === 'video' ? 'video_call' : 'call',
    callId: call.callId,
    callerId: call.callerId,
    callerName: call.callerName,
    callerAvatar: bounded(call.callerAvatar),
    callerType: call.callerType,
    callType: call.callType,
    channelName: call.channelName,
    agoraToken: call.agoraToken,
    agoraAppId: call.agoraAppId,
    expiresAt: call.expiresAt.toISOString(),
    timestamp: new Date().toISOString(),
  };
  return { party: partyKey(callee), data, expiresAt: call.expiresAt, retryUntil: call.expiresAt };
}

export function cancelPush(callee: Party, callId: string): Push {
  const end = new Date(Date.now() + CANCEL_TTL_MS);
  return {
    party: partyKey(callee),
    data: { type: 'call_cancel', callId },
    expiresAt: end,
    retryUntil: end,
  };
}

/** The id of the call that the push makes ring; undefined for every other push. */
export function ringOf({ data }: Push): string | undefined {
  return data.type === 'call' || data.type === 'video_call' ? data.callId : undefined;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The beginning of a text, cut between two characters as readers see them, at most `limit` UTF-16 units. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  let end = 0;
  for (const { segment } of segmenter.segment(text.slice(0, 2 * limit))) {
    if (end + segment.length > limit) break;
    end += segment.length;
  }
  // A single character may be longer, made of many marks: it is cut after a whole code point.
  if (end === 0) end = isLowSurrogate(text.charCodeAt(limit)) ? limit - 1 : limit;
  return text.slice(0, end);
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function bounded(avatar: string): string {
  return Buffer.byteLength(avatar) <= MAX_AVATAR_BYTES ? avatar : '';
}
