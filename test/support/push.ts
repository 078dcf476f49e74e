import { PushService } from '../../src/push/push.service.js';
import { collectionOf, startApp, type TestApp } from './app.js';
import { connectAs, type TestClient } from './client.js';
import { FcmServer } from './fcm-server.js';
import type { Person } from './token.js';

type MessagePush = Parameters<PushService['message']>[1];
type CallPush = Parameters<PushService['callRinging']>[1];

/** A node that pushes to an FCM of the file's own. */
export async function startWithFcm(): Promise<{ fcm: FcmServer; node: TestApp; push: PushService }> {
  const fcm = await FcmServer.start();
  const node = await startApp({ FCM_URL: fcm.url });
  return { fcm, node, push: node.app.get(PushService) };
}

let count = 0;

/** A message to push, with an id of its own. */
export function aMessage(changes: Partial<MessagePush> = {}): MessagePush {
  count += 1;
  return {
    conversationId: 'user_asha_ravi',
    messageId: `message-${count}`,
    senderId: 'asha',
    senderName: 'Asha',
    senderType: 'user',
    senderAvatar: '',
    content: 'Namaste',
    messageType: 'text',
    ...changes,
  };
}

/** A call that rings for `ringMs` from now. */
export function aCall(changes: Partial<CallPush> = {}, ringMs = 60_000): CallPush {
  count += 1;
  return {
    callId: `call-${count}`,
    callerId: 'asha',
    callerName: 'Asha',
    callerAvatar: '',
    callerType: 'user',
    callType: 'voice',
    channelName: `channel-${count}`,
    agoraToken: 'an-agora-token',
    agoraAppId: 'an-app-id',
    expiresAt: new Date(Date.now() + ringMs),
    ...changes,
  };
}

/** Connects as somebody and registers a device, over the socket. */
export async function withDevice(url: string, person: Person, ...tokens: string[]): Promise<TestClient> {
  const client = await connectAs(url, person);
  for (const token of tokens) await client.ask('push:register', { token, platform: 'android' });
  return client;
}

/** The tokens that are stored for a party (`astrologer:ravi`), sorted. */
export async function storedTokens(node: TestApp, party: string): Promise<string[]> {
  const devices = await collectionOf(node, 'pushdevices').find({ party }).toArray();
  return devices.map(({ token }) => String(token)).toSorted();
}
