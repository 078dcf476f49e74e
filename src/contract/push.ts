import type { UserType } from './identity.js';

export const PUSH_PLATFORMS = ['android', 'ios', 'web'] as const;

export type PushPlatform = (typeof PUSH_PLATFORMS)[number];

/** The ack of `push:register` and `push:unregister`; it tells nothing of what was there before. */
export interface PushDevicePayload {
  success: true;
}

/** The data of a push for a message (contract §8); all values of pushes are texts. */
export interface MessagePushData {
  type: 'message';
  conversationId: string;
  messageId: string;
  senderId: string;
  senderName: string;
  senderType: UserType;
  senderAvatar: string;
  /** At most 100 characters. */
  content: string;
  messageType: string;
}

/** The data of a push for a call that rings. */
export interface CallPushData {
  /** `call` is a voice call. */
  type: 'call' | 'video_call';
  callId: string;
  callerId: string;
  callerName: string;
  callerAvatar: string;
  callerType: UserType;
  callType: 'voice' | 'video';
  channelName: string;
  agoraToken: string;
  agoraAppId: string;
  /** ISO 8601: the end of the ringing. */
  expiresAt: string;
  /** ISO 8601: when it was made. */
  timestamp: string;
}

/** The data of the push that ends the ringing of a call. */
export interface CallCancelPushData {
  type: 'call_cancel';
  callId: string;
}

export type PushData = MessagePushData | CallPushData | CallCancelPushData;
