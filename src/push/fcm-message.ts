import type { TokenMessage } from 'firebase-admin/messaging';
import type { Push } from './push-data.js';

/** Bytes; APNs refuses a longer one. */
const MAX_COLLAPSE_ID_BYTES = 64;

/** The push as FCM wants it, for one device. What is left of its time is its time to live with Google, Apple and browsers. */
export function toFcmMessage({ data, expiresAt }: Push, token: string, now = Date.now()): TokenMessage {
  const ttlMs = Math.max(0, expiresAt.getTime() - now);
  return {
    token,
    data: { ...data },
    // No collapse key: FCM holds such pushes back after 20, and a cancel must reach even a phone that already rings.
    android: { priority: 'high', ttl: ttlMs },
    apns: {
      headers: {
        // Priority 10 is not allowed for push type background, which iOS delivers when it likes.
        'apns-priority': '10',
        'apns-push-type': 'alert',
        'apns-expiration': String(Math.floor(expiresAt.getTime() / 1000)),
        ...collapseId(data),
      },
      payload: { aps: { contentAvailable: true } },
    },
    webpush: { headers: { TTL: String(Math.floor(ttlMs / 1000)), Urgency: 'high' } },
  };
}

/** While a phone is away, Apple keeps the newest push of a call alone: after the cancel no ring. */
function collapseId(data: Push['data']): Record<string, string> {
  if (data.type === 'message' || Buffer.byteLength(data.callId) > MAX_COLLAPSE_ID_BYTES) return {};
  return { 'apns-collapse-id': data.callId };
}
